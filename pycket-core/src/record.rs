mod codec;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;

use crate::{Changes, Timestamp, Ttl, Value};

/// The stored form of a session: its metadata and its values by name.
///
/// A clone shares the values with the original, so it is cheap.
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
    /// Sorted by name. Each name occurs once.
    entries: Arc<[Entry]>,
}

/// The metadata of a record: when its session began, and the ttl that it was last given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// When the session began. The absolute timeout counts from this time.
    pub created: Timestamp,
    /// The ttl that the last renewal gave the record. The remaining time says how long ago that was. With
    /// `None` it is not known.
    pub granted: Option<Ttl>,
}

impl Metadata {
    /// The metadata of a session that began at `created`, without a granted ttl.
    pub const fn new(created: Timestamp) -> Self {
        Self { created, granted: None }
    }

    /// Sets the ttl that the last renewal gave the record.
    #[must_use]
    pub const fn with_granted(mut self, granted: Option<Ttl>) -> Self {
        self.granted = granted;
        self
    }

    /// The time since the last renewal of a record that has this remaining time.
    pub(crate) fn unrenewed_for(&self, expires_in: Duration) -> Option<Duration> {
        Some(self.granted?.as_duration().saturating_sub(expires_in))
    }
}

type Entry = (SmolStr, Value);

impl Record {
    /// A record with these values. If a name occurs twice, the later value counts.
    pub fn new<N: AsRef<str>>(
        metadata: Metadata,
        values: impl IntoIterator<Item = (N, Value)>,
    ) -> Self {
        let values = values.into_iter().map(|(name, value)| (SmolStr::from(name.as_ref()), value));
        Self { metadata, entries: sorted(values.collect()) }
    }

    /// The metadata.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The value of `name`, or `None` if there is none.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries.get(position(&self.entries, name)?).map(|(_, value)| value)
    }

    /// The names and values, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The names, sorted.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no values. Such a record is still a live session.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether this record has every value that `changes` expects. If not, an update is a
    /// [`Conflict`](crate::Update::Conflict).
    pub fn meets(&self, changes: &Changes) -> bool {
        changes.expectations().all(|(name, expected)| self.get(name) == expected)
    }

    /// Applies the changes to the values and the metadata. It does not check the expectations:
    /// [`meets`](Self::meets) does.
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

/// Sorts by name, and keeps the later of two values of a name.
fn sorted(mut entries: Vec<Entry>) -> Arc<[Entry]> {
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    // `dedup_by` keeps the earlier of two entries, so the later value is moved there.
    entries.dedup_by(|later, earlier| {
        let is_same = later.0 == earlier.0;
        if is_same {
            std::mem::swap(later, earlier);
        }
        is_same
    });
    entries.into()
}

fn position(entries: &[Entry], name: &str) -> Option<usize> {
    // To compare few names for equality is faster, because most differ in their length.
    if entries.len() <= 16 {
        return entries.iter().position(|(key, _)| key == name);
    }
    entries.binary_search_by(|(key, _)| key.as_str().cmp(name)).ok()
}

/// Both sides are sorted by name, so one pass is enough.
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
