use std::fmt;
use std::str::FromStr;

use uuid::{Uuid, Variant, Version};

use crate::{Error, ErrorKind};

/// A session id: a random UUID (version 4, RFC 9562) with 122 bits from the random number generator of the
/// operating system.
///
/// OWASP and NIST SP 800-63B-4 (section 5.1) ask for at least 64 bits.
///
/// A client that presents the id of a session owns that session. So the type has no `Display`, its `Debug`
/// hides the value, and only [`expose`](Self::expose) returns the text.
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
#[doc(alias("Id", "SessionKey", "Token"))] // tower-sessions, actix-session, scs
pub struct SessionId(Uuid);

impl SessionId {
    /// The length of the text: 36 ASCII characters.
    pub const TEXT_LEN: usize = uuid::fmt::Hyphenated::LENGTH;

    /// A new random id.
    #[doc(alias = "genid")] // express-session
    pub fn generate() -> Self {
        Self(Uuid::new_v4())
    }

    /// The id of a record that is no session, from random-looking bytes. It is a UUID of version 8, which
    /// [`from_str`](Self::from_str) refuses, so no client can present it.
    pub(crate) fn derived(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// The id as text, for the key of a store or a signed cookie. Keep it out of logs and error messages.
    pub fn expose(&self) -> String {
        self.text(&mut [0; Self::TEXT_LEN]).to_owned()
    }

    /// The id as the 16 bytes of the UUID, for a binary column: `Uuid::from_bytes(id.expose_bytes())` with the
    /// crate `uuid`. Keep them out of logs and error messages, too.
    ///
    /// ```
    /// use pycket_core::SessionId;
    ///
    /// let id = SessionId::generate();
    /// assert_eq!(SessionId::try_from(id.expose_bytes())?, id);
    /// # Ok::<(), pycket_core::Error>(())
    /// ```
    pub fn expose_bytes(&self) -> [u8; 16] {
        self.0.into_bytes()
    }

    /// The id as text, without an allocation.
    pub(crate) fn text<'b>(&self, buffer: &'b mut [u8; Self::TEXT_LEN]) -> &'b str {
        self.0.hyphenated().encode_lower(buffer)
    }

    fn is_random(&self) -> bool {
        self.0.get_version() == Some(Version::Random) && self.0.get_variant() == Variant::RFC4122
    }

    /// A random byte of the id, to choose a shard.
    pub(crate) fn spread(&self) -> u8 {
        self.0.as_bytes()[0]
    }
}

/// Parses the text that [`expose`](SessionId::expose) returns: lower case with hyphens, version 4, the
/// variant of RFC 9562. No other spelling of a UUID is accepted, so that an id has exactly one key.
///
/// # Errors
///
/// [`ErrorKind::InvalidId`] for any other text. The error does not contain the text.
impl FromStr for SessionId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let is_canonical = |id: &Self| id.text(&mut [0; Self::TEXT_LEN]) == text && id.is_random();
        Uuid::try_parse(text).ok().map(Self).filter(is_canonical).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidId,
                "not a session id: expected a random UUID in lower case with hyphens",
            )
        })
    }
}

/// Reads the bytes that [`expose_bytes`](SessionId::expose_bytes) returns for a random id.
///
/// # Errors
///
/// [`ErrorKind::InvalidId`] for the bytes of any other UUID, such as the id under which the library lists the
/// sessions of a user. The error does not contain them.
impl TryFrom<[u8; 16]> for SessionId {
    type Error = Error;

    fn try_from(bytes: [u8; 16]) -> Result<Self, Error> {
        let id = Self(Uuid::from_bytes(bytes));
        let invalid =
            || Error::new(ErrorKind::InvalidId, "not a session id: expected a random UUID");
        id.is_random().then_some(id).ok_or_else(invalid)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(..)")
    }
}
