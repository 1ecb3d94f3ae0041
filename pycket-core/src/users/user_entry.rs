use std::fmt::Display;

use smol_str::SmolStr;

use crate::{Changes, Error, ErrorKind, Record, SessionId, Timestamp, Value};

use super::listing::{Entry, parse_ids, text_of};
use super::{Lifetime, UserSessionHandle};

/// The longest id of a user, in bytes.
const MAX_USER_ID: usize = 1024;

/// The longest label, in bytes.
const MAX_LABEL: usize = 256;

/// What the record of a session says of its user.
///
/// It is an entry of the record and holds everything that the index lists, so that the session knows the exact
/// value that the index has without loading it.
#[derive(Clone, Debug)]
pub(crate) struct UserEntry {
    pub(crate) user_id: SmolStr,
    pub(crate) handle: UserSessionHandle,
    pub(crate) signed_in_at: Timestamp,
    /// What the application calls the session.
    pub(crate) label: Option<SmolStr>,
    /// The ids that the session had before, as far as the index still lists them.
    pub(crate) earlier: Vec<SessionId>,
    pub(crate) lifetime: Lifetime,
}

type Stored = (String, UserSessionHandle, u64, Option<String>, Vec<String>, [u64; 2]);

impl UserEntry {
    /// The name of the entry. It is reserved for the library.
    pub(crate) const NAME: &str = "\0pycket:user";

    /// An entry that cannot be read counts as none, so its session belongs to no user.
    pub(crate) fn of(record: &Record) -> Option<Self> {
        let (user_id, handle, signed_in_at, label, earlier, [ends_at, until]) =
            record.get(Self::NAME)?.decode::<Stored>().ok()?;
        let [signed_in_at, ends_at, until] =
            [signed_in_at, ends_at, until].map(Timestamp::from_unix_millis);
        Some(Self {
            user_id: user_id.into(),
            handle,
            signed_in_at,
            label: label.map(SmolStr::from),
            earlier: parse_ids(&earlier)?,
            lifetime: Lifetime { ends_at, until },
        })
    }

    pub(crate) fn to_value(&self) -> Result<Value, Error> {
        let Self { user_id, handle, signed_in_at, label, earlier, lifetime } = self;
        let Lifetime { ends_at, until } = lifetime;
        Value::encode(&(
            user_id.as_str(),
            handle,
            signed_in_at.unix_millis(),
            label.as_deref(),
            text_of(earlier),
            [ends_at.unix_millis(), until.unix_millis()],
        ))
    }

    /// What the index lists if this is the entry of the session under `id`.
    pub(crate) fn listed_as(&self, id: SessionId) -> Entry {
        let mut ids = self.earlier.clone();
        ids.push(id);
        Entry { ids, lifetime: self.lifetime }
    }

    /// What the record has to change if the index lists the session like this.
    pub(crate) fn correction(&self, id: SessionId, entry: &Entry) -> Result<Changes, Error> {
        match *entry == self.listed_as(id) {
            true => Ok(Changes::new()),
            false => {
                let corrected = self.clone().with_listed(id, entry);
                Ok(Changes::new().set(Self::NAME, corrected.to_value()?))
            }
        }
    }

    /// The entry of the session under `id`, when the index lists it like this.
    pub(crate) fn with_listed(mut self, id: SessionId, entry: &Entry) -> Self {
        self.earlier = entry.ids.iter().copied().filter(|listed| *listed != id).collect();
        self.lifetime = entry.lifetime;
        self
    }
}

/// A label of at most 256 bytes. A longer one is cut between two characters.
pub(crate) fn cut_label(label: &str) -> SmolStr {
    let mut end = MAX_LABEL.min(label.len());
    while !label.is_char_boundary(end) {
        end -= 1;
    }
    label.get(..end).unwrap_or_default().into()
}

/// The text of a user's id, if it may be one.
pub(crate) fn check_user_id(user_id: impl Display) -> Result<SmolStr, Error> {
    let user_id = user_id.to_string();
    let message = if user_id.is_empty() {
        "the id of a user must not be empty: sign in only a user that the application knows"
    } else if user_id.len() > MAX_USER_ID {
        "the id of a user must not be longer than 1024 bytes: use its key in the application's database"
    } else {
        return Ok(user_id.into());
    };
    Err(Error::new(ErrorKind::InvalidUserId, message))
}
