use std::cell::LazyCell;
use std::sync::Arc;

use crate::timeouts::OwnTimeouts;
use crate::{Changes, Clock, Expiry, Metadata, Record, Ttl};

use super::sign_in::SignIn;
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
    SignIn {
        sign_in: Arc<SignIn>,
        /// The session that the request has, of this user, of another one or of none.
        old: Option<Live>,
        record: Record,
        ttl: Ttl,
    },
}

/// Decides what a commit does, and calls no store.
pub(super) fn plan(state: &State, sent: &Sent, expiry: &Expiry, clock: &dyn Clock) -> Step {
    if let Some(sign_in) = &state.work().sign_in
        && !state.is_too_late()
    {
        return plan_sign_in(state, sign_in, expiry, clock);
    }
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
    let (own, now) = (state.own_timeouts(), LazyCell::new(|| clock.now()));
    match state.base() {
        _ if state.work().sign_in.is_some() => expiry.ttl(*now, own, || *now),
        Base::Absent => expiry.ttl(*now, own, || *now),
        Base::Live(Live { record, .. }) => {
            let created = record.metadata().created;
            // Restarting the timeouts does not bring back a session that is past its absolute timeout.
            expiry.ttl(created, OwnTimeouts::of(record), || *now)?;
            expiry.ttl(if restarts(state) { *now } else { created }, own, || *now)
        }
        Base::Ended => None,
    }
}

fn plan_absent(state: &State, expiry: &Expiry, clock: &dyn Clock) -> Step {
    let work = state.work();
    match ttl(state, expiry, clock) {
        Some(ttl) if work.has_content() => {
            let metadata = Metadata::new(clock.now()).with_granted(Some(ttl));
            let values = work.changes().sets().map(|(name, value)| (name, value.clone()));
            Step::Create { record: Record::new(metadata, values), ttl }
        }
        _ => Step::Nothing,
    }
}

fn plan_sign_in(state: &State, sign_in: &Arc<SignIn>, expiry: &Expiry, clock: &dyn Clock) -> Step {
    let Some(ttl) = ttl(state, expiry, clock) else { return Step::Nothing };
    let mut record = state.view();
    let metadata = Metadata::new(clock.now()).with_granted(Some(ttl));
    record.apply(&Changes::new().with_metadata(metadata));
    Step::SignIn { sign_in: Arc::clone(sign_in), old: state.live().cloned(), record, ttl }
}

fn plan_live(live: &Live, state: &State, sent: &Sent, expiry: &Expiry, clock: &dyn Clock) -> Step {
    let work = state.work();
    let old = live.record.metadata();
    let is_changed = work.changes_session(live);
    match ttl(state, expiry, clock) {
        None if is_changed => Step::GiveUp,
        None => Step::Nothing,
        Some(ttl) if work.rotation.is_some() => {
            let created = if restarts(state) { clock.now() } else { old.created };
            let metadata = Metadata::new(created).with_granted(Some(ttl));
            let mut record = live.record.clone();
            record.apply(&work.changes().clone().with_metadata(metadata));
            Step::Rotate { live: live.clone(), record, ttl }
        }
        Some(ttl) if is_changed => {
            let changes = sent.changes_of(live, granted(old, ttl));
            Step::Update { live: live.clone(), changes, ttl }
        }
        Some(_) => match expiry.touch(live, clock) {
            Some(ttl) => Step::Touch { live: live.clone(), ttl },
            None => Step::Nothing,
        },
    }
}

/// The metadata of a record that gets this ttl, or `None` if they stay as they are.
pub(super) fn granted(old: &Metadata, ttl: Ttl) -> Option<Metadata> {
    (old.granted != Some(ttl)).then_some(old.with_granted(Some(ttl)))
}

fn restarts(state: &State) -> bool {
    state.work().rotation == Some(Rotation::RestartTimeouts)
}
