use smol_str::SmolStr;

use crate::{Error, Metadata, Record, SessionId, Timestamp, Value};

use super::state::is_reserved;

/// The names of all pointers begin with this; what follows is the id of the notification.
const POINTER: &str = "\0pycket:n:";

/// An unread notification of a session.
#[derive(Clone)]
pub(crate) enum Unread {
    /// Its record is stored, and the session points to it.
    Stored(Pointer),
    /// This request left it and has not stored it yet.
    New(NewNotification),
}

/// An entry of the session's record that points to the record of a notification.
#[derive(Clone)]
pub(crate) struct Pointer {
    pub(crate) id: SessionId,
    name: SmolStr,
    place: Place,
}

#[derive(Clone)]
pub(crate) struct NewNotification {
    pub(crate) name: SmolStr,
    pub(crate) value: Value,
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

impl Unread {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Stored(pointer) => &pointer.name,
            Self::New(new) => &new.name,
        }
    }

    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Stored(pointer) => pointer.place,
            Self::New(new) => new.place,
        }
    }
}

impl NewNotification {
    pub(crate) fn record(&self, now: Timestamp) -> Record {
        Record::new(Metadata::new(now), [(&self.name, self.value.clone())])
    }

    /// The entry that points to this notification once its record is stored under `id`.
    pub(crate) fn pointer(&self, id: SessionId) -> Result<(SmolStr, Value), Error> {
        let Place { time, sequence } = self.place;
        let value = Value::encode(&(self.name.as_str(), time.unix_millis(), sequence))?;
        Ok((pointer_name(&id), value))
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

/// The pointers in a record. An entry that cannot be read points to nothing.
pub(crate) fn pointers(record: &Record) -> impl Iterator<Item = Pointer> {
    let reserved = record.iter().filter(|(name, _)| is_reserved(name));
    reserved.filter_map(|(entry, value)| {
        let id = pointed_to(entry)?;
        let (name, time, sequence) = value.decode::<(String, u64, u32)>().ok()?;
        let place = Place { time: Timestamp::from_unix_millis(time), sequence };
        Some(Pointer { id, name: name.into(), place })
    })
}
