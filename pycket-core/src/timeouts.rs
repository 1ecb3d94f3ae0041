use crate::{Error, Record, Ttl, Value};

/// The timeouts that a session has instead of the application's.
///
/// They are an entry of the record and not metadata, so that requests which run at the same time keep them, as
/// they keep each other's values.
#[derive(Clone, Copy, Default)]
pub(crate) struct OwnTimeouts {
    pub(crate) idle: Option<Ttl>,
    /// Only a remembered session has its own.
    pub(crate) absolute: Option<Ttl>,
}

impl OwnTimeouts {
    /// The name of the entry. It is reserved for the library.
    pub(crate) const NAME: &str = "\0pycket:timeouts";

    pub(crate) fn of(record: &Record) -> Self {
        Self::from_entry(record.get(Self::NAME))
    }

    /// An entry that cannot be read counts as none.
    pub(crate) fn from_entry(entry: Option<&Value>) -> Self {
        let millis = entry.and_then(|entry| entry.decode::<[Option<u64>; 2]>().ok());
        let [idle, absolute] =
            millis.unwrap_or_default().map(|millis| millis.and_then(Ttl::from_millis));
        Self { idle, absolute }
    }

    pub(crate) fn to_entry(self) -> Result<Value, Error> {
        Value::encode(&[self.idle, self.absolute].map(|ttl| ttl.map(Ttl::as_millis)))
    }
}
