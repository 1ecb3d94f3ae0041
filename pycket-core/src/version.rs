use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// What a driver keeps of a record that it loaded, to update it without reading it again.
///
/// It is for stores that replace a whole record on condition that it is still the one that was read: by a CAS token,
/// an ETag, or a counter in the `WHERE` of an `UPDATE`. The library does not look into it. It hands it back with the
/// first update after the load, and forgets it after each change. Then a request that loads a session and changes it
/// costs two calls of such a store instead of three. A store that updates in one call anyway, as Redis does with a
/// script, needs no version.
///
/// Another writer may have come first. So the driver compares in the call that writes, and if the store has
/// another version, it reads the record and goes on as without a version. The version must differ in every state of
/// every record, also of one that was deleted and created again. *(`version::…`)*
///
/// ```
/// use std::time::Duration;
/// use pycket_core::{Changes, Loaded, Metadata, Record, Timestamp, Value, Version};
///
/// struct Read {
///     record: Record,
///     cas: u64,
/// }
///
/// // `load` returns the record with what the next update needs of it.
/// let metadata = Metadata::new(Timestamp::from_unix_millis(0));
/// let record = Record::new(metadata, [("visits", Value::encode(&1)?)]);
/// let read = Read { record: record.clone(), cas: 7 };
/// let loaded = Loaded::new(record, Duration::from_secs(60)).with_version(Version::new(read));
///
/// // `update` gets it back. It writes the whole record on condition that the store still has this token.
/// let changes = Changes::new().set("visits", Value::encode(&2)?).with_version(loaded.version);
/// let read: &Read = changes.version().and_then(Version::get).unwrap();
/// let mut record = read.record.clone();
/// record.apply(&changes);
/// assert_eq!(record.get("visits"), Some(&Value::encode(&2)?));
/// assert_eq!(read.cas, 7);
/// # Ok::<(), pycket_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Version(Arc<dyn Any + Send + Sync>);

impl Version {
    /// A version that consists of `seen`.
    pub fn new(seen: impl Any + Send + Sync) -> Self {
        Self(Arc::new(seen))
    }

    /// What the version consists of, or `None` if that is not a `T`.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

/// Shows nothing, because the driver may keep values in it.
impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Version").finish_non_exhaustive()
    }
}

/// Two versions are equal if they are of the same load.
impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Version {}
