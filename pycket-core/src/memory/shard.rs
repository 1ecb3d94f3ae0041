use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::{Record, SessionId};

/// A part of the records, and the order in which they run out.
///
/// Each record has exactly one place in the schedule, at its end of life or before: renewing a life,
/// which is frequent, leaves the place alone, and [`purge`](Self::purge) moves it when it comes up.
#[derive(Default)]
pub(super) struct Shard {
    slots: HashMap<SessionId, Slot>,
    schedule: BTreeSet<(Duration, SessionId)>,
}

pub(super) struct Slot {
    record: Record,
    expires_at: Duration,
    scheduled_at: Duration,
}

impl Shard {
    pub(super) fn live(&mut self, id: &SessionId, now: Duration) -> Option<&mut Slot> {
        self.slots.get_mut(id).filter(|slot| slot.expires_at > now)
    }

    /// Puts a record where none is, not even an expired one.
    pub(super) fn insert(&mut self, id: SessionId, slot: Slot) {
        self.schedule.insert((slot.scheduled_at, id));
        self.slots.insert(id, slot);
    }

    pub(super) fn remove(&mut self, id: &SessionId) -> Option<Slot> {
        let slot = self.slots.remove(id)?;
        self.schedule.remove(&(slot.scheduled_at, *id));
        Some(slot)
    }

    pub(super) fn reschedule(&mut self, id: &SessionId, expires_at: Duration) {
        if let Some(slot) = self.slots.get_mut(id) {
            slot.expires_at = expires_at;
            if expires_at < slot.scheduled_at {
                self.schedule.remove(&(slot.scheduled_at, *id));
                self.schedule.insert((expires_at, *id));
                slot.scheduled_at = expires_at;
            }
        }
    }

    /// Looks at up to `limit` records that are due and removes the expired; returns how many went.
    pub(super) fn purge(&mut self, now: Duration, limit: usize) -> usize {
        let mut removed = 0;
        for _ in 0..limit {
            let Some(&due) = self.schedule.first().filter(|(at, _)| *at <= now) else {
                break;
            };
            self.schedule.remove(&due);
            let (_, id) = due;
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
    pub(super) fn new(record: Record, expires_at: Duration) -> Self {
        Self { record, expires_at, scheduled_at: expires_at }
    }

    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    pub(super) fn record_mut(&mut self) -> &mut Record {
        &mut self.record
    }

    pub(super) fn expires_at(&self) -> Duration {
        self.expires_at
    }

    pub(super) fn into_record(self) -> Record {
        self.record
    }
}
