use std::fmt;
use std::str::FromStr;

use uuid::{Uuid, Version};

use crate::{Error, ErrorKind};

/// A session id: a random UUID (version 4), 122 bits from the operating system's generator.
///
/// A client that presents the id of a session owns that session. So the type has no `Display`, its
/// `Debug` hides the value, and only [`expose`](Self::expose) returns the text.
///
/// ```
/// use pycket_core::SessionId;
///
/// let id = SessionId::generate();
/// assert_eq!(id.expose().parse::<SessionId>()?, id);
/// assert_eq!(format!("{id:?}"), "SessionId(..)");
/// # Ok::<(), pycket_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(Uuid);

impl SessionId {
    /// The length of an id's text: 36 ASCII characters.
    pub const TEXT_LEN: usize = uuid::fmt::Hyphenated::LENGTH;

    /// A new id, never seen before.
    pub fn generate() -> Self {
        Self(Uuid::new_v4())
    }

    /// The id as text, for a store's key or a signed cookie. Keep it out of logs and messages.
    pub fn expose(&self) -> String {
        let mut text = String::with_capacity(Self::TEXT_LEN);
        self.append_to(&mut text);
        text
    }

    /// Adds what [`expose`](Self::expose) gives to `text`.
    pub(crate) fn append_to(&self, text: &mut String) {
        text.push_str(self.0.hyphenated().encode_lower(&mut [0; Self::TEXT_LEN]));
    }

    /// A random byte that says where an id goes among equals.
    pub(crate) fn spread(&self) -> u8 {
        let [first, ..] = self.0.as_bytes();
        *first
    }
}

/// Reads the form that [`expose`](SessionId::expose) writes, and no other spelling of a UUID: lower case
/// with hyphens, version 4, RFC 9562 variant.
///
/// # Errors
///
/// [`ErrorKind::InvalidId`] for any other text. The message does not repeat the text.
impl FromStr for SessionId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let is_canonical = |uuid: &Uuid| {
            uuid.hyphenated().encode_lower(&mut [0; Self::TEXT_LEN]) == text
                && uuid.get_version() == Some(Version::Random)
                && uuid.get_variant() == uuid::Variant::RFC4122
        };
        Uuid::try_parse(text).ok().filter(is_canonical).map(Self).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidId,
                "not a session id: expected a random UUID in lower case with hyphens",
            )
        })
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(..)")
    }
}
