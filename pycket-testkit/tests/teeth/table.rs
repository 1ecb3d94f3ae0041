use std::collections::{HashMap, HashSet};
use std::time::Duration;

use pycket_core::{
    Changes, Creation, Error, ErrorKind, Loaded, Metadata, Record, Timestamp, Ttl, Update, Value,
};

use crate::distortion::distorted;
use crate::fault::Fault;

/// What two servers share. Each operation is atomic, and sound except for the one fault.
#[derive(Debug)]
pub(crate) struct Table {
    fault: Option<Fault>,
    slots: HashMap<String, Slot>,
    /// Deleted records; only a broken store uses them.
    deleted: HashMap<String, Slot>,
}

#[derive(Clone, Debug)]
struct Slot {
    record: Record,
    created: Record,
    removed: HashSet<String>,
    ttl: Duration,
    ends: Duration,
    /// How often the record was updated.
    writes: u32,
    is_corrupt: bool,
}

impl Table {
    pub(crate) fn new(fault: Option<Fault>) -> Self {
        Self { fault, slots: HashMap::new(), deleted: HashMap::new() }
    }

    pub(crate) fn create(
        &mut self,
        key: &str,
        record: &Record,
        ttl: Ttl,
        now: Duration,
    ) -> Result<Creation, Error> {
        let ttl = self.stored_ttl(ttl)?;
        if self.sweeps() {
            self.slots.retain(|_, slot| slot.ends > now);
        }
        if self.is_live(key, now) {
            if self.has(Fault::CreateRenewsTheLiveRecord) {
                self.slots.get_mut(key).unwrap().ends = now + ttl;
            }
            if !self.has(Fault::CreateOverwrites) {
                return Ok(Creation::Taken);
            }
        }
        if !(record.is_empty() && self.has(Fault::EmptyRecordsAreNotStored)) {
            let expired = self.slots.get(key).map(|slot| slot.record.clone());
            self.put(key, record, ttl, now);
            if let (Some(expired), Some(slot)) = (expired, self.slots.get_mut(key)) {
                keep_expired(self.fault, &expired, &mut slot.record);
            }
        }
        Ok(Creation::Created)
    }

    pub(crate) fn load(&mut self, key: &str, now: Duration) -> Option<Loaded> {
        let is_live = match self.fault {
            Some(Fault::OnlyCreatesRemoveExpiredRecords | Fault::LoadLeavesExpiryToCreates) => {
                self.slots.contains_key(key)
            }
            _ => self.is_live(key, now),
        };
        if !is_live {
            let empty = Loaded::new(empty(), Duration::from_secs(3_600));
            return self.has(Fault::AbsentIsEmpty).then_some(empty);
        }
        let renews = self.has(Fault::LoadRenewsTheTtl);
        let whole = self.has(Fault::ExpiresInIsTheWholeTtl);
        let slot = self.slots.get_mut(key)?;
        if renews {
            slot.ends = now + slot.ttl;
        }
        let expires_in = if whole { slot.ttl } else { slot.ends.saturating_sub(now) };
        Some(Loaded::new(slot.record.clone(), expires_in))
    }

    pub(crate) fn update(
        &mut self,
        key: &str,
        changes: &Changes,
        ttl: Option<Ttl>,
        now: Duration,
    ) -> Result<Update, Error> {
        let ttl = ttl.map(|ttl| self.stored_ttl(ttl)).transpose()?;
        let is_live = match self.fault {
            Some(Fault::UpdateLeavesExpiryToCreates | Fault::UpdateLooksAtTheEndBeforeItWaits) => {
                self.slots.contains_key(key)
            }
            _ => self.is_live_for_writers(key, now),
        };
        if !is_live {
            return Ok(self.update_of_an_absent_record(key, changes, ttl, now));
        }
        if self.has(Fault::EmptyUpdateReturnsEnded) && changes.is_empty() && ttl.is_none() {
            return Ok(Update::Ended);
        }
        if self.has(Fault::TooLargeDeletes)
            && changes.sets().any(|(_, v)| v.as_bytes().len() > 1 << 20)
        {
            self.slots.remove(key);
            return Err(Error::new(ErrorKind::TooLarge, "too large"));
        }
        let fault = self.fault;
        let has = |asked| fault == Some(asked);
        let slot = self.slots.get_mut(key).unwrap();
        if !meets(fault, &slot.record, changes) {
            if has(Fault::ConflictAppliesTheChanges) {
                slot.record.apply(changes);
            }
            if let Some(ttl) = ttl.filter(|_| has(Fault::ConflictRenewsTheTtl)) {
                slot.ends = now + ttl;
            }
            return Ok(Update::Conflict);
        }
        let missing = |name: &str| slot.record.get(name).is_none();
        if has(Fault::RemovalOfAMissingNameIsRefused) && changes.removals().any(missing) {
            return Ok(Update::Conflict);
        }
        slot.writes += 1;
        apply(fault, slot, changes);
        match ttl {
            Some(_) if has(Fault::TtlIsIgnoredWithChanges) && !changes.is_empty() => {}
            Some(ttl) if has(Fault::TouchOnlyLengthens) => slot.ends = slot.ends.max(now + ttl),
            Some(ttl) => (slot.ttl, slot.ends) = (ttl, now + ttl),
            None if has(Fault::UpdateRestartsTheTtl) => slot.ends = now + slot.ttl,
            None if has(Fault::UpdateRemovesTheTtl) => slot.ends = Duration::MAX,
            None => {}
        }
        if has(Fault::RecordsWithoutValuesVanish) && slot.record.is_empty() {
            self.slots.remove(key);
        }
        Ok(Update::Applied)
    }

    pub(crate) fn delete(&mut self, key: &str, now: Duration) -> Option<Record> {
        let leaves = self.has(Fault::DeleteLeavesExpiryToCreates) && self.slots.contains_key(key);
        if !leaves && !self.is_live_for_writers(key, now) {
            return self.has(Fault::DeleteReturnsAnAbsentRecord).then(empty);
        }
        let slot = self.slots.remove(key)?;
        self.deleted.insert(key.to_owned(), slot.clone());
        match self.fault {
            Some(Fault::DeleteReturnsNothing) => None,
            Some(Fault::DeleteReturnsWhatWasCreated) => Some(slot.created),
            _ => Some(slot.record),
        }
    }

    /// How often a record was updated that is in the table, live or not.
    pub(crate) fn writes(&self, key: &str) -> Option<u32> {
        self.slots.get(key).map(|slot| slot.writes)
    }

    /// How many records a namespace has.
    pub(crate) fn count(&self, namespace: &str) -> usize {
        let stays = self.deleted.keys().filter(|_| self.has(Fault::DeletedRecordsStay));
        self.slots.keys().chain(stays).filter(|key| key.starts_with(namespace)).count()
    }

    pub(crate) fn corrupt(&mut self, key: &str) {
        self.slots.get_mut(key).unwrap().is_corrupt = true;
    }

    pub(crate) fn is_corrupt(&self, key: &str) -> bool {
        self.slots.get(key).is_some_and(|slot| slot.is_corrupt)
    }

    /// What another connection sees of an open transaction.
    pub(crate) fn roll_back(&mut self, key: &str) {
        self.slots.remove(key);
    }

    /// Writes a record, whatever was stored before.
    pub(crate) fn put(&mut self, key: &str, record: &Record, ttl: Duration, now: Duration) {
        let record = distorted(self.fault, record);
        let mut slot = Slot {
            created: record.clone(),
            record,
            removed: HashSet::new(),
            ttl,
            ends: now + ttl,
            writes: 0,
            is_corrupt: false,
        };
        if let Some(old) = self.deleted.get(key).filter(|_| self.has(Fault::OldTtlsEndNewRecords)) {
            slot.ends = old.ends;
        }
        self.slots.insert(key.to_owned(), slot);
    }

    fn update_of_an_absent_record(
        &mut self,
        key: &str,
        changes: &Changes,
        ttl: Option<Duration>,
        now: Duration,
    ) -> Update {
        match self.fault {
            Some(Fault::ConflictTakesPrecedenceOverEnded) if changes.expectations().len() > 0 => {
                Update::Conflict
            }
            Some(Fault::ConflictTakesPrecedenceOverExpiry)
                if self.slots.get(key).is_some_and(|slot| !slot.record.meets(changes)) =>
            {
                Update::Conflict
            }
            Some(Fault::UpdateCreates) => {
                let mut record = empty();
                record.apply(changes);
                self.put(key, &record, ttl.unwrap_or(Duration::from_secs(3_600)), now);
                Update::Applied
            }
            Some(Fault::TouchRevives) if changes.is_empty() => {
                let Some(ttl) = ttl else { return Update::Ended };
                let Some(slot) = self.deleted.remove(key) else { return Update::Ended };
                self.put(key, &slot.record, ttl, now);
                Update::Applied
            }
            _ => Update::Ended,
        }
    }

    fn stored_ttl(&self, ttl: Ttl) -> Result<Duration, Error> {
        let ttl = ttl.as_duration();
        let second = Duration::from_secs(1);
        Ok(match self.fault {
            Some(Fault::TtlsAreRoundedDown) => Duration::from_secs(ttl.as_secs()),
            Some(Fault::LongTtlsAreDates) if ttl > 30 * 24 * 60 * 60 * second => Duration::ZERO,
            Some(Fault::ShortTtlsAreRefused) if ttl < second => {
                return Err(Error::new(ErrorKind::Rejected, "invalid expire time"));
            }
            Some(Fault::TtlsAreTooLong) => ttl + 2 * second,
            _ => ttl,
        })
    }

    fn is_live(&self, key: &str, now: Duration) -> bool {
        self.slots.get(key).is_some_and(|slot| slot.ends > now)
    }

    fn is_live_for_writers(&self, key: &str, now: Duration) -> bool {
        if self.has(Fault::WritersIgnoreExpiry) || self.has(Fault::OnlyCreatesRemoveExpiredRecords)
        {
            return self.slots.contains_key(key);
        }
        self.is_live(key, now)
    }

    /// Whether a create removes the expired records of all namespaces.
    fn sweeps(&self) -> bool {
        matches!(
            self.fault,
            Some(
                Fault::OnlyCreatesRemoveExpiredRecords
                    | Fault::LoadLeavesExpiryToCreates
                    | Fault::UpdateLeavesExpiryToCreates
                    | Fault::DeleteLeavesExpiryToCreates
                    | Fault::ConflictTakesPrecedenceOverExpiry
            )
        )
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }
}

/// What the create left of the expired record.
fn keep_expired(fault: Option<Fault>, expired: &Record, record: &mut Record) {
    let changes = match fault {
        Some(Fault::CreateKeepsExpiredMetadata) => {
            Changes::new().with_metadata(*expired.metadata())
        }
        Some(Fault::CreateKeepsExpiredValues) => {
            let old = expired.iter().filter(|(name, _)| record.get(name).is_none());
            old.fold(Changes::new(), |all, (name, value)| all.set(name, value.clone()))
        }
        _ => return,
    };
    record.apply(&changes);
}

/// Whether the name is a pattern that matches a name of the record.
fn matches_pattern(record: &Record, name: &str) -> bool {
    let start = name.strip_suffix('%');
    start.is_some_and(|start| record.names().any(|other| other.starts_with(start)))
}

fn meets(fault: Option<Fault>, record: &Record, changes: &Changes) -> bool {
    let meets = |(name, expected): (&str, Option<&Value>)| match fault {
        Some(Fault::ExpectationsOfMissingNamesAreIgnored) if expected.is_none() => true,
        Some(Fault::ExpectationsOfUnchangedNamesAreIgnored)
            if changes.sets().all(|(set, _)| set != name) =>
        {
            true
        }
        Some(Fault::NamesArePatterns) if expected.is_none() => !matches_pattern(record, name),
        Some(Fault::ExpectationsCompareLengths) => {
            let length = |value: &Value| value.as_bytes().len();
            record.get(name).map(length) == expected.map(length)
        }
        _ => record.get(name) == expected,
    };
    match fault {
        Some(Fault::ExpectationsAreIgnored) => true,
        Some(Fault::ExpectationsAreNeverMet) => changes.expectations().len() == 0,
        Some(Fault::ExpectationsOfTouchesAreIgnored) if changes.is_empty() => true,
        Some(Fault::OnlyOneExpectationCounts) => changes.expectations().take(1).all(meets),
        _ => changes.expectations().all(meets),
    }
}

fn apply(fault: Option<Fault>, slot: &mut Slot, changes: &Changes) {
    let mut changes = changes.clone();
    match fault {
        Some(Fault::UpdateReplacesTheRecord) if !changes.is_empty() => {
            slot.record = Record::new(*slot.record.metadata(), [] as [(&str, Value); 0]);
        }
        Some(Fault::SetKeepsTheOldValue) => {
            let old: Vec<_> = slot.record.iter().map(|(n, v)| (n.to_owned(), v.clone())).collect();
            for (name, value) in old {
                if changes.sets().any(|(set, _)| set == name) {
                    changes = changes.set(name, value);
                }
            }
        }
        Some(Fault::SetsSuppressRemovals) if changes.sets().next().is_some() => {
            let sets = changes.sets();
            changes = sets.fold(Changes::new(), |all, (name, value)| all.set(name, value.clone()));
        }
        Some(Fault::RemovalMatchesPrefixes | Fault::NamesArePatterns) => {
            let removals = changes.removals().map(|name| match fault {
                Some(Fault::NamesArePatterns) => name.trim_end_matches('%').to_owned(),
                _ => name.to_owned(),
            });
            let prefixes: Vec<_> = removals.collect();
            for name in slot.record.names().filter(|n| prefixes.iter().any(|p| n.starts_with(p))) {
                changes = changes.remove(name);
            }
        }
        Some(Fault::RemovedNamesAreLost) => {
            slot.removed.extend(changes.removals().map(str::to_owned));
            changes = slot.removed.iter().fold(changes, |all, name| all.remove(name.as_str()));
        }
        Some(Fault::MetadataAreAlwaysReplaced) if changes.metadata().is_none() => {
            changes = changes.with_metadata(*empty().metadata());
        }
        _ => {}
    }
    slot.record.apply(&changes);
    slot.record = distorted(fault, &slot.record);
}

fn empty() -> Record {
    let metadata = Metadata::new(Timestamp::from_unix_millis(0));
    Record::new(metadata, [] as [(&str, Value); 0])
}
