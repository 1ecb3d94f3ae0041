use std::collections::BTreeMap;
use std::time::Duration;

use pycket_core::{Changes, Creation, Metadata, Record, SessionId, Timestamp, Ttl, Update};

use crate::names::{Name, Names, digest_of};

/// The records of a store, in a plain map. No time passes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    pub(crate) names: Names,
    held: BTreeMap<SessionId, Held>,
    pub(crate) defect: Option<Defect>,
}

#[derive(Clone, Debug)]
struct Held {
    record: Record,
    rest: Duration,
    created: Record,
    digest: u64,
}

/// What is wrong with a store that the checks must find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// An update of an absent record stores a record.
    UpdateCreates,
    /// An update looks at no expectation.
    UpdateExpectsNothing,
    /// A delete returns the record as it was created.
    DeleteReturnsAnOldRecord,
    /// A delete returns the record and leaves it.
    DeleteKeeps,
}

impl Records {
    pub(crate) fn create(
        &mut self,
        id: SessionId,
        record: &Record,
        ttl: Ttl,
        maker: u8,
    ) -> Creation {
        if self.held.contains_key(&id) {
            return Creation::Taken;
        }
        self.put(id, record.clone(), record.clone(), ttl.as_duration(), maker);
        Creation::Created
    }

    pub(crate) fn get(&self, id: &SessionId) -> Option<(Record, Duration)> {
        self.held.get(id).map(|held| (held.record.clone(), held.rest))
    }

    pub(crate) fn update(
        &mut self,
        id: SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
        maker: u8,
    ) -> Update {
        let Some(held) = self.held.get(&id) else {
            if self.defect == Some(Defect::UpdateCreates) && changes.sets().next().is_some() {
                let values = changes.sets().map(|(name, value)| (name, value.clone()));
                let metadata = Metadata::new(Timestamp::from_unix_millis(1_700_000_000_000));
                let record = Record::new(metadata, values);
                let rest = ttl.unwrap_or(Ttl::MAX).as_duration();
                self.put(id, record.clone(), record, rest, maker);
                return Update::Applied;
            }
            return Update::Ended;
        };
        if !held.record.meets(changes) && self.defect != Some(Defect::UpdateExpectsNothing) {
            return Update::Conflict;
        }
        let (mut record, created) = (held.record.clone(), held.created.clone());
        let rest = ttl.map_or(held.rest, Ttl::as_duration);
        record.apply(changes);
        self.put(id, record, created, rest, maker);
        Update::Applied
    }

    pub(crate) fn delete(&mut self, id: &SessionId) -> Option<Record> {
        match self.defect {
            Some(Defect::DeleteKeeps) => self.get(id).map(|(record, _)| record),
            Some(Defect::DeleteReturnsAnOldRecord) => self.held.remove(id).map(|held| held.created),
            _ => self.held.remove(id).map(|held| held.record),
        }
    }

    fn put(&mut self, id: SessionId, record: Record, created: Record, rest: Duration, maker: u8) {
        let digest = self.names.digest(&record, maker);
        self.held.insert(id, Held { record, rest, created, digest });
    }

    /// The ids of all records of sessions. That of an index is no id that a client can have.
    pub(crate) fn sessions(&self) -> Vec<SessionId> {
        let is_session = |id: &&SessionId| SessionId::try_from(id.expose_bytes()).is_ok();
        self.held.keys().filter(is_session).copied().collect()
    }

    /// Lets time pass for all records.
    pub(crate) fn pass(&mut self, time: Duration) {
        for held in self.held.values_mut() {
            held.rest = held.rest.saturating_sub(time);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    pub(crate) fn name(&mut self, id: &SessionId, maker: u8) -> Name {
        self.names.of_id(id, maker)
    }

    /// What a load of this record shows.
    pub(crate) fn digest_of(&self, id: &SessionId) -> Option<(u64, Duration)> {
        self.held.get(id).map(|held| (held.digest, held.rest))
    }

    /// A number for all that the store holds.
    pub(crate) fn digest(&mut self) -> u64 {
        let Self { held, names, .. } = self;
        let digests =
            held.iter().map(|(id, held)| digest_of(&(names.of_id(id, 0), held.digest, held.rest)));
        digests.fold(0, u64::wrapping_add)
    }
}
