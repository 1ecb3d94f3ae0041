use crate::{Clock, Expiry, Metadata, Record, Ttl};

use super::pending::{Pending, Rotation};
use super::state::{Base, Live};

/// What a commit does after it has ended the sessions that were destroyed.
pub(super) enum Step {
    /// Nothing.
    Rest,
    /// Nothing, because the session is over; its changes are dropped.
    GiveUp,
    Touch {
        live: Live,
        ttl: Ttl,
    },
    Update {
        live: Live,
        metadata: Option<Metadata>,
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

/// Decides without doing: the whole of what a commit may do, in one place.
pub(super) fn plan(base: &Base, pending: &Pending, expiry: &Expiry, clock: &dyn Clock) -> Step {
    match base {
        Base::Absent => plan_absent(pending, expiry, clock),
        Base::Live(live) => plan_live(live, pending, expiry, clock),
        Base::Ended if pending.changes.is_empty() && !pending.has_notices() => Step::Rest,
        Base::Ended => Step::GiveUp,
    }
}

fn plan_absent(pending: &Pending, expiry: &Expiry, clock: &dyn Clock) -> Step {
    let now = clock.now();
    let metadata = Metadata::new(now).with_idle_timeout(pending.idle_timeout);
    let mut values = pending.changes.sets().map(|(name, value)| (name, value.clone())).peekable();
    match expiry.ttl(&metadata, now) {
        Some(ttl) if values.peek().is_some() || !pending.notices.is_empty() => {
            Step::Create { record: Record::new(metadata, values), ttl }
        }
        _ => Step::Rest,
    }
}

fn plan_live(live: &Live, pending: &Pending, expiry: &Expiry, clock: &dyn Clock) -> Step {
    let now = clock.now();
    let old = *live.record.metadata();
    let created = match pending.rotation {
        Some(Rotation::RestartLifetime) => now,
        Some(Rotation::KeepLifetime) | None => old.created,
    };
    let new = Metadata { created, idle_timeout: pending.idle_timeout.or(old.idle_timeout) };
    let metadata = (new != old).then_some(new);
    let is_changed = !pending.changes.is_empty() || metadata.is_some();
    // A session past its end cannot be saved by restarting its clock.
    let is_over = expiry.ttl(&old, now).is_none();
    match expiry.ttl(&new, now).filter(|_| !is_over) {
        None if is_changed || pending.rotation.is_some() => Step::GiveUp,
        None => Step::Rest,
        Some(ttl) if pending.rotation.is_some() => {
            let mut record = live.record.clone();
            record.apply(&pending.changes.clone().with_metadata(new));
            Step::Rotate { live: live.clone(), record, ttl }
        }
        Some(ttl) if is_changed => Step::Update { live: live.clone(), metadata, ttl },
        Some(_) => {
            let expires_in = live.expires_at.saturating_sub(clock.elapsed());
            match expiry.touch(&old, now, expires_in) {
                Some(ttl) => Step::Touch { live: live.clone(), ttl },
                None => Step::Rest,
            }
        }
    }
}
