use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::{Error, ErrorKind};

/// The public name of a session that belongs to a user.
///
/// It is random, stays the same when the id of the session changes, and is not the session id: it opens nothing.
/// So a page can show it, and a form can post it back to [`UserSessions::end`](crate::UserSessions::end), which
/// ends only sessions of that user.
///
/// Its text, also for serde, is 32 digits in hexadecimal, lower case.
///
/// ```
/// use pycket_core::UserSessionHandle;
///
/// let handle: UserSessionHandle = "0193b3a47c1e4d2a9f005a1b2c3d4e5f".parse()?;
/// assert_eq!(handle.to_string(), "0193b3a47c1e4d2a9f005a1b2c3d4e5f");
/// assert!("0193B3A47C1E4D2A9F005A1B2C3D4E5F".parse::<UserSessionHandle>().is_err());
/// # Ok::<(), pycket_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserSessionHandle(Uuid);

impl UserSessionHandle {
    pub(crate) fn generate() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for UserSessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0.as_simple(), f)
    }
}

impl fmt::Debug for UserSessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserSessionHandle({self})")
    }
}

/// Parses the text that `Display` writes, and no other spelling.
///
/// # Errors
///
/// [`ErrorKind::InvalidId`] for any other text.
impl FromStr for UserSessionHandle {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let is_canonical = |id: &Uuid| id.as_simple().encode_lower(&mut [0; 32]) == text;
        Uuid::try_parse(text).ok().filter(is_canonical).map(Self).ok_or_else(|| {
            let message =
                "not the handle of a session: expected 32 digits in hexadecimal, lower case";
            Error::new(ErrorKind::InvalidId, message)
        })
    }
}

impl Serialize for UserSessionHandle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UserSessionHandle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
