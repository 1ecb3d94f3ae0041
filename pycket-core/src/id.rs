use std::fmt;

use uuid::{Uuid, Version};

/// A session id: a random UUID (version 4), 122 bits from the operating system's generator.
///
/// Whoever holds an id that a server would accept is the visitor, so it has no `Display`, its `Debug`
/// hides it, and the only way to its text is the conspicuous [`expose`](Self::expose).
///
/// ```
/// use pycket_core::SessionId;
///
/// let id = SessionId::generate();
/// assert_eq!(SessionId::parse(&id.expose()), Some(id));
/// assert_eq!(format!("{id:?}"), "SessionId(..)");
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

    /// Reads an id in the one form that [`expose`](Self::expose) writes: lower case with hyphens,
    /// version 4, RFC 9562 variant. Anything else, other spellings of a UUID included, is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let uuid = Uuid::try_parse(text).ok()?;
        let mut canonical = [0; Self::TEXT_LEN];
        let is_canonical = uuid.hyphenated().encode_lower(&mut canonical) == text;
        let is_random = uuid.get_version() == Some(Version::Random)
            && uuid.get_variant() == uuid::Variant::RFC4122;
        (is_canonical && is_random).then_some(Self(uuid))
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

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(..)")
    }
}
