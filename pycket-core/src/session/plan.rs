use std::cell::LazyCell;
use std::sync::Arc;

use crate::timeouts::OwnTimeouts;
use crate::{Changes, Clock, Expiry, Record, SessionId, Ttl};

use super::sign_in::SignIn;
use super::state::{Base, Live, State};
use super::work::Rotation;

/// What a commit does next.
pub(super) enum Step {
    Nothing,
    /// The session has ended. Its changes are dropped.
    GiveUp,
    /// Stores a new notification. The session's record comes after all of them.
    Notify {
        provisional: SessionId,
        record: Record,
        ttl: Ttl,
    },
    Update {
        live: Live,
        /// `None` only renews the session.
        changes: Option<Arc<Changes>>,
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
pub(super) fn plan(state: &State, expiry: &Expiry, clock: &dyn Clock) -> Step {
    let (base, work) = (&state.base, &state.work);
    let has_change = work.has_change(base);
    let Some(ttl) = ttl(state, expiry, clock) else {
        return if has_change { Step::GiveUp } else { Step::Nothing };
    };
    if let Some((id, record)) = work.notifications.first_key_value() {
        return Step::Notify { provisional: *id, record: record.clone(), ttl };
    }
    if let Some(sign_in) = &work.sign_in {
        let (old, record) = (state.live().cloned(), state.record_since(clock.now(), ttl));
        return Step::SignIn { sign_in: Arc::clone(sign_in), old, record, ttl };
    }
    match base {
        Base::Absent if has_change => {
            Step::Create { record: state.record_since(clock.now(), ttl), ttl }
        }
        Base::Live(live) if work.rotation.is_some() => {
            let created = live.record.metadata().created;
            let created = if restarts(state) { clock.now() } else { created };
            let record = state.record_since(created, ttl);
            Step::Rotate { live: live.clone(), record, ttl }
        }
        Base::Live(live) if has_change => {
            Step::Update { live: live.clone(), changes: work.changes.clone(), ttl }
        }
        Base::Live(live) => match expiry.touch(live, clock) {
            Some(ttl) => Step::Update { live: live.clone(), changes: None, ttl },
            None => Step::Nothing,
        },
        Base::Absent | Base::Ended => Step::Nothing,
    }
}

/// The time to live that a commit gives the session; `None` if the session has ended.
pub(super) fn ttl(state: &State, expiry: &Expiry, clock: &dyn Clock) -> Option<Ttl> {
    let (own, now) = (state.own_timeouts(), LazyCell::new(|| clock.now()));
    match &state.base {
        Base::Ended => None,
        Base::Live(Live { record, .. }) if state.work.sign_in.is_none() => {
            let created = record.metadata().created;
            // Restarting the timeouts does not bring back a session that is past its absolute timeout.
            expiry.ttl(created, OwnTimeouts::of(record), || *now)?;
            expiry.ttl(if restarts(state) { *now } else { created }, own, || *now)
        }
        Base::Absent | Base::Live(_) => expiry.ttl(*now, own, || *now),
    }
}

fn restarts(state: &State) -> bool {
    state.work.rotation == Some(Rotation::RestartTimeouts)
}
