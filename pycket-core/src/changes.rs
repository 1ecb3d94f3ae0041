use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::{Metadata, Value};

/// What an update does to a record: per name, set or removed; and what must hold for it to happen.
///
/// Names that it does not mention stay as they are in the store, whoever wrote them. This is what keeps
/// two requests of one visitor from losing each other's changes.
///
/// ```
/// use pycket_core::{Changes, Value};
///
/// let changes = Changes::new()
///     .set("cart", Value::encode(&[7, 9])?)
///     .remove("draft")
///     .expect("version", Some(Value::encode(&3)?));
/// assert_eq!(changes.sets().count(), 1);
/// assert_eq!(changes.removals().collect::<Vec<_>>(), ["draft"]);
/// # Ok::<(), pycket_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    values: BTreeMap<SmolStr, Option<Value>>,
    expected: BTreeMap<SmolStr, Option<Value>>,
    metadata: Option<Metadata>,
}

impl Changes {
    /// No change; with a ttl, a touch.
    pub const fn new() -> Self {
        Self { values: BTreeMap::new(), expected: BTreeMap::new(), metadata: None }
    }

    /// Sets `name`, instead of what was said of it before.
    #[must_use]
    pub fn set(mut self, name: impl AsRef<str>, value: Value) -> Self {
        self.values.insert(name.as_ref().into(), Some(value));
        self
    }

    /// Removes `name`, instead of what was said of it before. A missing one is no error.
    #[must_use]
    pub fn remove(mut self, name: impl AsRef<str>) -> Self {
        self.values.insert(name.as_ref().into(), None);
        self
    }

    /// Makes the update depend on the value that `name` has in the store: exactly these bytes, or none.
    #[must_use]
    pub fn expect(mut self, name: impl AsRef<str>, value: Option<Value>) -> Self {
        self.expected.insert(name.as_ref().into(), value);
        self
    }

    /// Replaces what the record says about itself.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// The values to set, in the order of the names.
    pub fn sets(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_ref()?)))
    }

    /// The names to remove, in order.
    pub fn removals(&self) -> impl Iterator<Item = &str> {
        self.values.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name.as_str())
    }

    /// What must hold for the update to happen: the value, or `None` for a name that must be missing.
    pub fn expectations(&self) -> impl ExactSizeIterator<Item = (&str, Option<&Value>)> {
        self.expected.iter().map(|(name, value)| (name.as_str(), value.as_ref()))
    }

    /// The metadata that replace the record's, if any.
    pub fn metadata(&self) -> Option<Metadata> {
        self.metadata
    }

    /// Whether nothing would change. Such an update carries no data: with a ttl it is a touch.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.metadata.is_none()
    }

    /// What this says of `name`: `None` if nothing, `Some(None)` if it is to be removed.
    pub(crate) fn get(&self, name: &str) -> Option<Option<&Value>> {
        self.values.get(name).map(Option::as_ref)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&SmolStr, Option<&Value>)> {
        self.values.iter().map(|(name, value)| (name, value.as_ref()))
    }

    pub(crate) fn insert(&mut self, name: SmolStr, value: Option<Value>) {
        self.values.insert(name, value);
    }

    pub(crate) fn forget(&mut self, name: &str) {
        self.values.remove(name);
    }
}
