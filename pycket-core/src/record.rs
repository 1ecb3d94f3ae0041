use std::fmt;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::{Changes, Timestamp, Ttl, Value};

/// What a store keeps under one id: when the session began, its own lifetime, and its values by name.
///
/// Cloning copies a pointer, so a store in memory can hand one out and keep it.
///
/// ```
/// use pycket_core::{Changes, Metadata, Record, Timestamp, Value};
///
/// let metadata = Metadata::new(Timestamp::from_unix_millis(0));
/// let mut record = Record::new(metadata, [("user", Value::encode("ann")?)]);
/// record.apply(&Changes::new().set("visits", Value::encode(&1)?).remove("user"));
/// assert_eq!(record.names().collect::<Vec<_>>(), ["visits"]);
/// # Ok::<(), pycket_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    metadata: Metadata,
    /// In the order of the names, each once.
    entries: Arc<[Entry]>,
}

/// What a record says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// When the session began. The absolute timeout counts from here.
    pub created: Timestamp,
    /// The session's own idle timeout ("remember me"); `None` means that the application's applies.
    pub idle_timeout: Option<Ttl>,
}

impl Metadata {
    /// Metadata of a session that began at `created` and has no idle timeout of its own.
    pub const fn new(created: Timestamp) -> Self {
        Self { created, idle_timeout: None }
    }

    /// The same metadata with this idle timeout.
    #[must_use]
    pub const fn with_idle_timeout(mut self, idle_timeout: Option<Ttl>) -> Self {
        self.idle_timeout = idle_timeout;
        self
    }
}

type Entry = (SmolStr, Value);

impl Record {
    /// A record of these values. Of two with the same name the later one counts.
    pub fn new<N: AsRef<str>>(
        metadata: Metadata,
        values: impl IntoIterator<Item = (N, Value)>,
    ) -> Self {
        let values = values.into_iter().map(|(name, value)| (SmolStr::from(name.as_ref()), value));
        let mut entries: Vec<Entry> = values.collect();
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        entries.dedup_by(|later, earlier| {
            let is_same = later.0 == earlier.0;
            if is_same {
                std::mem::swap(later, earlier);
            }
            is_same
        });
        Self { metadata, entries: entries.into() }
    }

    /// What the record says about itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let position = position(&self.entries, name)?;
        self.entries.get(position).map(|(_, value)| value)
    }

    /// Names and values, in the order of the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The names, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no value. Such a record is still a live session.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether every value that `changes` expects is as expected. An update must be refused otherwise.
    pub fn meets(&self, changes: &Changes) -> bool {
        changes.expectations().all(|(name, expected)| self.get(name) == expected)
    }

    /// Sets and removes what `changes` says and leaves all else alone.
    /// Whether it [meets](Self::meets) the expectations is not asked again.
    pub fn apply(&mut self, changes: &Changes) {
        if let Some(metadata) = changes.metadata() {
            self.metadata = metadata;
        }
        if changes.entries().next().is_none() {
            return;
        }
        let only_replaces = changes
            .entries()
            .all(|(name, value)| value.is_some() && position(&self.entries, name).is_some());
        if only_replaces {
            let entries = Arc::make_mut(&mut self.entries);
            for (name, value) in changes.sets() {
                if let Some(entry) = position(entries, name).and_then(|at| entries.get_mut(at)) {
                    entry.1 = value.clone();
                }
            }
        } else {
            self.entries = merge(&self.entries, changes).into();
        }
    }
}

fn position(entries: &[Entry], name: &str) -> Option<usize> {
    entries.binary_search_by(|(key, _)| key.as_str().cmp(name)).ok()
}

/// Both sides are in the order of the names, so one pass suffices, however many names there are.
fn merge(entries: &[Entry], changes: &Changes) -> Vec<Entry> {
    let mut merged = Vec::with_capacity(entries.len() + changes.sets().count());
    let mut old = entries.iter().peekable();
    for (name, change) in changes.entries() {
        while let Some(entry) = old.next_if(|(key, _)| key < name) {
            merged.push(entry.clone());
        }
        old.next_if(|(key, _)| key == name);
        if let Some(value) = change {
            merged.push((name.clone(), value.clone()));
        }
    }
    merged.extend(old.cloned());
    merged
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("metadata", &self.metadata)
            .field("names", &self.names().collect::<Vec<_>>())
            .finish()
    }
}
