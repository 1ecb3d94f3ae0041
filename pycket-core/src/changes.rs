use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::{Metadata, Value, Version};

/// The argument of [`SessionStore::update`](crate::SessionStore::update): values to set, names to remove,
/// and values to expect.
///
/// An update leaves the names that it does not mention as they are in the store. So two requests of one
/// client keep each other's changes.
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
    pub(crate) metadata: Option<Metadata>,
    pub(crate) version: Option<Version>,
}

impl Changes {
    /// No changes. Together with a ttl they are a touch.
    pub const fn new() -> Self {
        Self { values: BTreeMap::new(), expected: BTreeMap::new(), metadata: None, version: None }
    }

    /// Sets `name` to `value`. This replaces an earlier `set` or `remove` of the name.
    #[must_use]
    pub fn set(mut self, name: impl AsRef<str>, value: Value) -> Self {
        self.insert(name.as_ref().into(), Some(value));
        self
    }

    /// Removes `name`, if the record has it. This replaces an earlier `set` or `remove` of the name.
    #[must_use]
    pub fn remove(mut self, name: impl AsRef<str>) -> Self {
        self.insert(name.as_ref().into(), None);
        self
    }

    /// Applies the changes only if `name` has exactly these bytes in the store, or with `None`, if it has
    /// no value.
    #[must_use]
    pub fn expect(mut self, name: impl AsRef<str>, value: Option<Value>) -> Self {
        self.expected.insert(name.as_ref().into(), value);
        self
    }

    /// Replaces the metadata of the record.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// Says which load of the record these changes follow. It does not matter for the result.
    #[must_use]
    pub fn with_version(mut self, version: Option<Version>) -> Self {
        self.version = version;
        self
    }

    /// The values to set, sorted by name.
    pub fn sets(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_ref()?)))
    }

    /// The names to remove, sorted.
    pub fn removals(&self) -> impl Iterator<Item = &str> {
        self.values.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name.as_str())
    }

    /// The expected values. `None` means that the name must have no value.
    pub fn expectations(&self) -> impl ExactSizeIterator<Item = (&str, Option<&Value>)> {
        self.expected.iter().map(|(name, value)| (name.as_str(), value.as_ref()))
    }

    /// The new metadata, or `None` if the metadata of the record stay as they are.
    pub fn metadata(&self) -> Option<Metadata> {
        self.metadata
    }

    /// What the driver returned with the record that the changes follow. `None` if it returned nothing, or the record
    /// was changed since.
    pub fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// Whether no value and no metadata change. Expectations do not count.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.metadata.is_none()
    }

    /// The change of `name`: `None` if there is none, `Some(None)` if it is removed.
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
