use std::sync::Arc;

use crate::{Changes, Clock, Expiry, Metadata, Record, Ttl};

use super::state::{Base, Live, Sent, State};
use super::work::Rotation;

/// What a commit does with the session's record.
pub(super) enum Step {
    Nothing,
    /// The session has ended. Its changes are dropped.
    GiveUp,
    /// The session needs another id after the response has left.
    TooLate,
    Touch {
        live: Live,
        ttl: Ttl,
    },
    Update {
        live: Live,
        changes: Arc<Changes>,
        ttl: Ttl,
    },
    Create {
        record: Record,
        ttl: Ttl,
    },
    Rotate {
        live: Live,
        record: Record,
        ttl: Ttl,
    },
}

/// Decides what a commit does, and calls no store.
pub(super) fn plan(state: &State, sent: &Sent, expiry: &Expiry, clock: &dyn Clock) -> Step {
    match state.base() {
        _ if state.is_too_late() => Step::TooLate,
        Base::Absent => plan_absent(state, expiry, clock),
        Base::Live(live) => plan_live(live, state, sent, expiry, clock),
        Base::Ended if state.needs_commit() => Step::GiveUp,
        Base::Ended => Step::Nothing,
    }
}

/// The time to live that a commit gives the session; `None` if the session has ended.
pub(super) fn ttl(state: &State, expiry: &Expiry, clock: &dyn Clock) -> Option<Ttl> {
    let now = clock.now();
    match state.base() {
        Base::Absent => expiry.ttl(&new_metadata(state, clock), now),
        Base::Live(live) => {
            let old = live.record.metadata();
            // Restarting the timeouts does not bring back a session that is past its absolute timeout.
            expiry.ttl(old, now).and(expiry.ttl(&renewed_metadata(old, state, clock), now))
        }
        Base::Ended => None,
    }
}

fn plan_absent(state: &State, expiry: &Expiry, clock: &dyn Clock) -> Step {
    let mut values =
        state.work().changes().sets().map(|(name, value)| (name, value.clone())).peekable();
    match ttl(state, expiry, clock) {
        Some(ttl) if values.peek().is_some() => {
            Step::Create { record: Record::new(new_metadata(state, clock), values), ttl }
        }
        _ => Step::Nothing,
    }
}

fn plan_live(live: &Live, state: &State, sent: &Sent, expiry: &Expiry, clock: &dyn Clock) -> Step {
    let work = state.work();
    let old = live.record.metadata();
    let new = renewed_metadata(old, state, clock);
    let is_changed = !work.changes().is_empty() || new != *old;
    match ttl(state, expiry, clock) {
        None if is_changed || work.rotation.is_some() => Step::GiveUp,
        None => Step::Nothing,
        Some(ttl) if work.rotation.is_some() => {
            let mut record = live.record.clone();
            record.apply(&work.changes().clone().with_metadata(new));
            Step::Rotate { live: live.clone(), record, ttl }
        }
        Some(ttl) if is_changed => {
            let changes = sent.changes_with((new != *old).then_some(new));
            Step::Update { live: live.clone(), changes, ttl }
        }
        Some(_) => match expiry.touch(old, clock.now(), live.expires_in(clock)) {
            Some(ttl) => Step::Touch { live: live.clone(), ttl },
            None => Step::Nothing,
        },
    }
}

fn new_metadata(state: &State, clock: &dyn Clock) -> Metadata {
    Metadata::new(clock.now()).with_idle_timeout(state.work().idle_timeout)
}

fn renewed_metadata(old: &Metadata, state: &State, clock: &dyn Clock) -> Metadata {
    let created = match state.work().rotation {
        Some(Rotation::RestartTimeouts) => clock.now(),
        Some(Rotation::KeepTimeouts) | None => old.created,
    };
    Metadata::new(created).with_idle_timeout(state.work().idle_timeout.or(old.idle_timeout))
}
