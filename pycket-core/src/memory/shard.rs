use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::{Record, SessionId};

/// A part of the records, and the times at which to look whether they have expired.
///
/// The schedule has one entry per record, at its expiry or before. A later expiry, which is frequent, leaves
/// the entry where it is. [`purge`](Self::purge) moves the entry when its time comes.
#[derive(Default)]
pub(super) struct Shard {
    slots: HashMap<SessionId, Slot>,
    schedule: BTreeSet<(Moment, SessionId)>,
}

pub(super) struct Slot {
    pub(super) record: Record,
    pub(super) expires_at: Moment,
    scheduled_at: Moment,
}

/// Nanoseconds since the origin of the clock. Half the size of a `Duration`, and enough for 584 years.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(u64);

impl Moment {
    pub(super) fn new(elapsed: Duration) -> Self {
        Self(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX))
    }

    pub(super) fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(Self::new(duration).0))
    }

    pub(super) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Shard {
    pub(super) fn live(&mut self, id: &SessionId, now: Moment) -> Option<&mut Slot> {
        self.slots.get_mut(id).filter(|slot| slot.expires_at > now)
    }

    /// Adds a record. There must be none under the id, not even an expired one.
    pub(super) fn insert(&mut self, id: SessionId, slot: Slot) {
        self.schedule.insert((slot.scheduled_at, id));
        self.slots.insert(id, slot);
    }

    pub(super) fn remove(&mut self, id: &SessionId) -> Option<Slot> {
        let slot = self.slots.remove(id)?;
        self.schedule.remove(&(slot.scheduled_at, *id));
        Some(slot)
    }

    pub(super) fn reschedule(&mut self, id: &SessionId, expires_at: Moment) {
        if let Some(slot) = self.slots.get_mut(id) {
            slot.expires_at = expires_at;
            if expires_at < slot.scheduled_at {
                self.schedule.remove(&(slot.scheduled_at, *id));
                self.schedule.insert((expires_at, *id));
                slot.scheduled_at = expires_at;
            }
        }
    }

    /// Looks at up to `limit` records whose time has come, removes the expired ones and returns their number.
    pub(super) fn purge(&mut self, now: Moment, limit: usize) -> usize {
        let mut removed = 0;
        for _ in 0..limit {
            let Some(&(_, id)) = self.schedule.first().filter(|(at, _)| *at <= now) else {
                break;
            };
            self.schedule.pop_first();
            if let Some(slot) = self.slots.get_mut(&id).filter(|slot| slot.expires_at > now) {
                slot.scheduled_at = slot.expires_at;
                self.schedule.insert((slot.expires_at, id));
            } else {
                self.slots.remove(&id);
                removed += 1;
            }
        }
        removed
    }
}

impl Slot {
    pub(super) fn new(record: Record, expires_at: Moment) -> Self {
        Self { record, expires_at, scheduled_at: expires_at }
    }
}
