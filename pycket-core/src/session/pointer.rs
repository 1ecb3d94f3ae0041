use smol_str::SmolStr;

use crate::{Error, Metadata, Record, SessionId, Timestamp, Value};

/// The names of all pointers begin with this. The id of the notification follows.
const POINTER: &str = "\0pycket:n:";

/// An entry of the session's record that points to the record of an unread notification.
#[derive(Clone)]
pub(crate) struct Pointer {
    pub(crate) id: SessionId,
    pub(crate) name: SmolStr,
    pub(crate) place: Place,
}

/// Where a notification is in the order in which a session's notifications were left.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    time: Timestamp,
    sequence: u32,
}

impl Place {
    /// The place of a notification that is left now, behind the last one that this request knows. The clocks
    /// of two servers may differ, so the time alone does not decide.
    pub(crate) fn after(last: Option<Self>, now: Timestamp) -> Self {
        match last {
            Some(last) if last.time >= now => {
                Self { time: last.time, sequence: last.sequence.saturating_add(1) }
            }
            _ => Self { time: now, sequence: 0 },
        }
    }
}

impl Pointer {
    /// The value of the entry. Its name is [`pointer_name`].
    pub(crate) fn value(&self) -> Result<Value, Error> {
        let Place { time, sequence } = self.place;
        Value::encode(&(self.name.as_str(), time.unix_millis(), sequence))
    }

    /// The record of the notification.
    pub(crate) fn record(&self, value: Value) -> Record {
        Record::new(Metadata::new(self.place.time), [(&self.name, value)])
    }

    /// An entry that cannot be read points to nothing.
    fn read(entry: &str, value: &Value) -> Option<Self> {
        let id = pointed_to(entry)?;
        let (name, time, sequence) = value.decode::<(String, u64, u32)>().ok()?;
        let place = Place { time: Timestamp::from_unix_millis(time), sequence };
        Some(Self { id, name: name.into(), place })
    }
}

/// The name of the entry that points to the notification under `id`.
pub(crate) fn pointer_name(id: &SessionId) -> SmolStr {
    [POINTER, id.text(&mut [0; SessionId::TEXT_LEN])].concat().into()
}

/// The id of the notification to which an entry of this name points.
pub(crate) fn pointed_to(name: &str) -> Option<SessionId> {
    name.strip_prefix(POINTER)?.parse().ok()
}

/// The pointers in a record.
pub(crate) fn pointers(record: &Record) -> impl Iterator<Item = Pointer> {
    record.iter().filter_map(|(entry, value)| Pointer::read(entry, value))
}

/// The notifications to which a record points.
pub(crate) fn notifications_of(record: &Record) -> Vec<SessionId> {
    pointers(record).map(|pointer| pointer.id).collect()
}
