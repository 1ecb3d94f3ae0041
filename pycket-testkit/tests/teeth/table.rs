use std::collections::{HashMap, HashSet};
use std::time::Duration;

use pycket_core::{
    Changes, Creation, Error, ErrorKind, Loaded, Metadata, Record, Timestamp, Ttl, Update, Value,
};

use crate::distortion::distorted;
use crate::fault::Fault;

/// What two servers share, each operation at one moment. Sound, but for the one fault.
#[derive(Debug)]
pub(crate) struct Table {
    fault: Option<Fault>,
    slots: HashMap<String, Slot>,
    /// What was deleted; only a broken store looks at it.
    buried: HashMap<String, Slot>,
}

#[derive(Clone, Debug)]
struct Slot {
    record: Record,
    created: Record,
    removed: HashSet<String>,
    ttl: Duration,
    ends: Duration,
}

impl Table {
    pub(crate) fn new(fault: Option<Fault>) -> Self {
        Self { fault, slots: HashMap::new(), buried: HashMap::new() }
    }

    pub(crate) fn create(
        &mut self,
        key: &str,
        record: &Record,
        ttl: Ttl,
        now: Duration,
    ) -> Result<Creation, Error> {
        let life = self.life(ttl)?;
        if self.is_live(key, now) {
            if self.has(Fault::CreateRenewsWhatIsTaken) {
                self.slots.get_mut(key).unwrap().ends = now + life;
            }
            if !self.has(Fault::CreateOverwrites) {
                return Ok(Creation::Taken);
            }
        }
        if !(record.is_empty() && self.has(Fault::EmptyRecordsAreNotStored)) {
            self.put(key, record, life, now);
        }
        Ok(Creation::Created)
    }

    pub(crate) fn load(&mut self, key: &str, now: Duration) -> Option<Loaded> {
        if !self.is_live(key, now) {
            let empty = Loaded::new(empty(), Duration::from_secs(3_600));
            return self.has(Fault::AbsentIsEmpty).then_some(empty);
        }
        let renews = self.has(Fault::LoadRenews);
        let whole = self.has(Fault::ExpiresInIsTheWholeTtl);
        let slot = self.slots.get_mut(key)?;
        if renews {
            slot.ends = now + slot.ttl;
        }
        let expires_in = if whole { slot.ttl } else { slot.ends - now };
        Some(Loaded::new(slot.record.clone(), expires_in))
    }

    pub(crate) fn update(
        &mut self,
        key: &str,
        changes: &Changes,
        ttl: Option<Ttl>,
        now: Duration,
    ) -> Result<Update, Error> {
        let life = ttl.map(|ttl| self.life(ttl)).transpose()?;
        if !self.is_live_for_writers(key, now) {
            return Ok(self.update_the_absent(key, changes, life, now));
        }
        if self.has(Fault::EmptyUpdateIsGone) && changes.is_empty() && ttl.is_none() {
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
            if has(Fault::ConflictAppliesTheRest) {
                slot.record.apply(changes);
            }
            if let Some(life) = life.filter(|_| has(Fault::ConflictRenews)) {
                slot.ends = now + life;
            }
            return Ok(Update::Conflict);
        }
        let missing = |name: &str| slot.record.get(name).is_none();
        if has(Fault::RemovalOfNothingIsRefused) && changes.removals().any(missing) {
            return Ok(Update::Conflict);
        }
        apply(fault, slot, changes);
        match life {
            Some(_) if has(Fault::TtlOnlyCountsForTouches) && !changes.is_empty() => {}
            Some(life) if has(Fault::TouchOnlyLengthens) => slot.ends = slot.ends.max(now + life),
            Some(life) => (slot.ttl, slot.ends) = (life, now + life),
            None if has(Fault::UpdateRestartsTheLife) => slot.ends = now + slot.ttl,
            None if has(Fault::UpdateMakesImmortal) => slot.ends = Duration::MAX,
            None => {}
        }
        if has(Fault::EmptiedRecordsVanish) && slot.record.is_empty() {
            self.slots.remove(key);
        }
        Ok(Update::Applied)
    }

    pub(crate) fn delete(&mut self, key: &str, now: Duration) -> Option<Record> {
        if !self.is_live_for_writers(key, now) {
            return self.has(Fault::DeleteFindsTheAbsent).then(empty);
        }
        let slot = self.slots.remove(key)?;
        self.buried.insert(key.to_owned(), slot.clone());
        match self.fault {
            Some(Fault::DeleteReturnsNothing) => None,
            Some(Fault::DeleteReturnsWhatWasCreated) => Some(slot.created),
            _ => Some(slot.record),
        }
    }

    /// Writes a record whatever was there.
    pub(crate) fn put(&mut self, key: &str, record: &Record, life: Duration, now: Duration) {
        let record = distorted(self.fault, record);
        let mut slot = Slot {
            created: record.clone(),
            record,
            removed: HashSet::new(),
            ttl: life,
            ends: now + life,
        };
        if let Some(old) = self.buried.get(key).filter(|_| self.has(Fault::OldTimersEndNewRecords))
        {
            slot.ends = old.ends;
        }
        self.slots.insert(key.to_owned(), slot);
    }

    fn update_the_absent(
        &mut self,
        key: &str,
        changes: &Changes,
        life: Option<Duration>,
        now: Duration,
    ) -> Update {
        match self.fault {
            Some(Fault::ConflictComesBeforeGone) if changes.expectations().len() > 0 => {
                Update::Conflict
            }
            Some(Fault::UpdateCreates) => {
                let mut record = empty();
                record.apply(changes);
                self.put(key, &record, life.unwrap_or(Duration::from_secs(3_600)), now);
                Update::Applied
            }
            Some(Fault::TouchRevives) if changes.is_empty() => {
                let Some(life) = life else { return Update::Ended };
                let Some(slot) = self.buried.remove(key) else { return Update::Ended };
                self.put(key, &slot.record, life, now);
                Update::Applied
            }
            _ => Update::Ended,
        }
    }

    fn life(&self, ttl: Ttl) -> Result<Duration, Error> {
        let life = ttl.as_duration();
        let second = Duration::from_secs(1);
        Ok(match self.fault {
            Some(Fault::SecondsAreCutOff) => Duration::from_secs(life.as_secs()),
            Some(Fault::ThirtyDaysAreADate) if life > 30 * 24 * 60 * 60 * second => Duration::ZERO,
            Some(Fault::PartsOfASecondAreRefused) if life < second => {
                return Err(Error::new(ErrorKind::Rejected, "invalid expire time"));
            }
            Some(Fault::LivesAreTooLong) => life + 2 * second,
            _ => life,
        })
    }

    fn is_live(&self, key: &str, now: Duration) -> bool {
        self.slots.get(key).is_some_and(|slot| slot.ends > now)
    }

    fn is_live_for_writers(&self, key: &str, now: Duration) -> bool {
        if self.has(Fault::ExpiryIsForLoadsOnly) {
            return self.slots.contains_key(key);
        }
        self.is_live(key, now)
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }
}

fn meets(fault: Option<Fault>, record: &Record, changes: &Changes) -> bool {
    let meets = |(name, expected): (&str, Option<&Value>)| match fault {
        Some(Fault::ExpectationsOfMissingNamesAreIgnored) if expected.is_none() => true,
        Some(Fault::ExpectationsOfUnchangedNamesAreIgnored)
            if changes.sets().all(|(set, _)| set != name) =>
        {
            true
        }
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
        Some(Fault::SetsHideRemovals) if changes.sets().next().is_some() => {
            let sets = changes.sets();
            changes = sets.fold(Changes::new(), |all, (name, value)| all.set(name, value.clone()));
        }
        Some(Fault::RemovalGoesByPrefix) => {
            let prefixes: Vec<_> = changes.removals().map(str::to_owned).collect();
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
