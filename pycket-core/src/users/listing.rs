use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{
    Changes, Error, ErrorKind, Loaded, Metadata, Record, SessionId, Timestamp, Ttl, Value, Version,
};

use super::{Lifetime, UserSessionHandle};

/// The entry that says that a record is an index, and of which format.
const HEADER: &str = "\0pycket:index";

/// The format that this version reads and writes.
const FORMAT: u8 = 1;

/// The sequence of a session that is listed again, because the index was evicted. It signed in before all those
/// that the new index has counted.
const BEFORE_ALL: u64 = 0;

/// The index of a user, as the store has it.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// The last sequence, and the value that holds it. A write that adds a session expects this value and replaces
    /// it, so of several writes at the same time one is stored.
    sequence: u64,
    header: Option<Value>,
    /// What the driver returned with the record, until it is used.
    version: Option<Version>,
    sessions: BTreeMap<UserSessionHandle, Known>,
}

/// What the index has of a session.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) entry: Entry,
    /// The bytes of the entry.
    value: Value,
    /// Sessions that signed in later have a higher one.
    pub(crate) sequence: u64,
}

/// How the index lists a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// All ids under which the session may be live. An id is removed when its record has certainly been deleted.
    pub(crate) ids: Vec<SessionId>,
    pub(crate) lifetime: Lifetime,
}

/// A write that adds a session or changes how it is listed.
pub(crate) enum Write {
    Create(Record, Ttl),
    Update(Changes, Ttl),
}

impl Listing {
    pub(crate) fn read(loaded: Loaded) -> Result<Self, Error> {
        let Loaded { record, version, .. } = loaded;
        let header = record.get(HEADER).cloned();
        let read = header.as_ref().and_then(|header| header.decode::<(u8, u64, u64)>().ok());
        let Some((FORMAT, sequence, _)) = read else {
            let message =
                "the record that lists the sessions of a user is not one that this version reads";
            return Err(Error::new(ErrorKind::Corrupt, message));
        };
        let entries = record.iter().filter_map(|(name, value)| {
            let handle = name.strip_prefix(ENTRY)?.parse().ok()?;
            let sequence = record.get(&sequence_name(handle)).and_then(|n| n.decode().ok());
            let sequence = sequence.unwrap_or(BEFORE_ALL);
            Some((handle, Known { entry: Entry::read(value)?, value: value.clone(), sequence }))
        });
        Ok(Self { sequence, sessions: entries.collect(), header, version })
    }

    pub(crate) fn get(&self, handle: UserSessionHandle) -> Option<&Known> {
        self.sessions.get(&handle)
    }

    pub(crate) fn sequence_of(&self, handle: UserSessionHandle) -> u64 {
        self.get(handle).map_or(BEFORE_ALL, |known| known.sequence)
    }

    /// The ids of a session that are not `known`. None if a sign-in with a higher sequence was listed, because that one
    /// ends the session under all of them.
    pub(crate) fn others(
        &self,
        handle: UserSessionHandle,
        sequence: u64,
        known: &[SessionId],
    ) -> Vec<SessionId> {
        let listed = self.get(handle).filter(|listed| listed.sequence == sequence);
        let ids = listed.into_iter().flat_map(|listed| listed.entry.ids.iter().copied());
        ids.filter(|id| !known.contains(id)).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// The listed sessions, the oldest sign-in first.
    pub(crate) fn by_age(&self) -> Vec<(UserSessionHandle, &Known)> {
        let mut sessions: Vec<_> = self.sessions.iter().map(|(h, known)| (*h, known)).collect();
        sessions.sort_by_key(|(_, known)| (known.sequence, known.entry.lifetime.ends_at));
        sessions
    }

    /// Lists a session as `entry` and removes all others whose time has passed. Returns the write that stores it.
    pub(crate) fn put(
        &mut self,
        handle: UserSessionHandle,
        entry: Entry,
        is_sign_in: bool,
        now: Timestamp,
    ) -> Result<Write, Error> {
        let mut changes = Changes::new();
        for passed in self.passed(now).filter(|passed| *passed != handle).collect::<Vec<_>>() {
            changes = self.remove(passed, changes);
        }
        let before = self.sessions.remove(&handle);
        let sequence = match &before {
            _ if is_sign_in => self.sequence.saturating_add(1),
            Some(before) => before.sequence,
            None => BEFORE_ALL,
        };
        self.sequence = self.sequence.max(sequence);
        let (value, header) = (entry.to_value()?, header(self.sequence)?);
        let old_header = self.header.replace(header.clone());
        let is_new = old_header.is_none();
        changes = changes
            .with_version(self.version.take())
            .expect(HEADER, old_header)
            .set(HEADER, header)
            .expect(entry_name(handle), before.map(|before| before.value))
            .set(entry_name(handle), value.clone())
            .set(sequence_name(handle), Value::encode(&sequence)?);
        self.sessions.insert(handle, Known { entry, value, sequence });
        let ttl = self.ttl(now);
        Ok(if is_new { Write::create(&changes, ttl, now) } else { Write::Update(changes, ttl) })
    }

    /// Removes a session, and adds to `changes` that the store removes it if it lists it like this.
    pub(crate) fn remove(&mut self, handle: UserSessionHandle, changes: Changes) -> Changes {
        let Some(known) = self.sessions.remove(&handle) else { return changes };
        changes
            .expect(entry_name(handle), Some(known.value))
            .remove(entry_name(handle))
            .remove(sequence_name(handle))
    }

    /// If nothing is listed any more, the ttl that lets the index end, on condition that nothing is added.
    pub(crate) fn ttl_if_empty(&self, changes: Changes) -> (Changes, Option<Ttl>) {
        match self.sessions.is_empty() {
            true => (changes.expect(HEADER, self.header.clone()), Some(Ttl::MIN)),
            false => (changes, None),
        }
    }

    /// The index lives as long as the session that it lists longest.
    fn ttl(&self, now: Timestamp) -> Ttl {
        let rests = self.sessions.values().map(|known| known.entry.lifetime.rest(now));
        let rest = rests.max().unwrap_or_default().min(Ttl::MAX.as_duration());
        Ttl::try_from(rest).unwrap_or(Ttl::MIN)
    }

    fn passed(&self, now: Timestamp) -> impl Iterator<Item = UserSessionHandle> {
        let passed =
            self.sessions.iter().filter(move |(_, known)| known.entry.lifetime.has_passed(now));
        passed.map(|(handle, _)| *handle)
    }
}

impl Write {
    fn create(changes: &Changes, ttl: Ttl, now: Timestamp) -> Self {
        let values = changes.sets().map(|(name, value)| (name, value.clone()));
        Self::Create(Record::new(Metadata::new(now), values), ttl)
    }
}

impl Entry {
    fn read(value: &Value) -> Option<Self> {
        let (ids, ends_at, until) = value.decode::<(Vec<String>, u64, u64)>().ok()?;
        let [ends_at, until] = [ends_at, until].map(Timestamp::from_unix_millis);
        Some(Self { ids: parse_ids(&ids)?, lifetime: Lifetime { ends_at, until } })
    }

    /// The entry with the ids and the lifetime of another one, and without those ids that are deleted.
    pub(crate) fn with(&self, other: &Self, deleted: &[SessionId]) -> Self {
        let mut ids = self.ids.clone();
        ids.retain(|id| !deleted.contains(id) && !other.ids.contains(id));
        ids.extend(&other.ids);
        Self { ids, lifetime: self.lifetime.join(other.lifetime) }
    }

    pub(crate) fn to_value(&self) -> Result<Value, Error> {
        let Lifetime { ends_at, until } = self.lifetime;
        Value::encode(&(text_of(&self.ids), ends_at.unix_millis(), until.unix_millis()))
    }
}

/// The names of all entries begin with this. The handle of the session follows.
const ENTRY: &str = "session:";

pub(crate) fn entry_name(handle: UserSessionHandle) -> String {
    format!("{ENTRY}{handle}")
}

pub(crate) fn sequence_name(handle: UserSessionHandle) -> String {
    format!("sequence:{handle}")
}

/// A header that no other write has: after the sequence comes a random number.
fn header(sequence: u64) -> Result<Value, Error> {
    let (_, nonce) = Uuid::new_v4().as_u64_pair();
    Value::encode(&(FORMAT, sequence, nonce))
}

pub(crate) fn text_of(ids: &[SessionId]) -> Vec<String> {
    ids.iter().map(SessionId::expose).collect()
}

pub(crate) fn parse_ids(texts: &[String]) -> Option<Vec<SessionId>> {
    texts.iter().map(|text| text.parse().ok()).collect()
}
