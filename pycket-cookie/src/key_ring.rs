use std::{fmt, iter};

use cookie::Key;
use pycket_core::{Error, ErrorKind};

/// The secret keys of the session cookie: the first one signs, all of them verify.
///
/// A key has at least 32 random bytes, for example from `openssl rand -base64 48`. All servers of an
/// application use the same keys, and keep them over restarts. The text is used as it is, without
/// decoding. [`SessionCookie`](crate::SessionCookie) derives one key per cookie name, so a value that the
/// same secret signed for another cookie is not valid here.
///
/// # Rotation
///
/// 1. Put the new key first and keep the old one as a previous key. Cookies of the old key stay valid
///    and are reported as [outdated](crate::SignedId::outdated_key), so that a response can issue them again.
/// 2. Remove the old key when the longest session has ended.
///
/// Remove a leaked key at once: its holder can sign any id.
///
/// ```
/// use pycket_cookie::KeyRing;
///
/// # fn secret(name: &str) -> String { format!("{name}, a secret of at least 32 bytes") }
/// let keys = KeyRing::builder(secret("SESSION_KEY")).previous(secret("OLD_SESSION_KEY")).build()?;
/// assert_eq!(format!("{keys:?}"), "KeyRing(..)");
/// # Ok::<(), pycket_core::Error>(())
/// ```
#[derive(Clone)]
#[doc(alias("cookie_secret", "secret", "signed"))]
pub struct KeyRing {
    current: Vec<u8>,
    previous: Vec<Vec<u8>>,
}

/// Collects the keys of a [`KeyRing`] and checks their lengths.
#[derive(Clone, Debug)]
#[must_use]
pub struct KeyRingBuilder(KeyRing);

impl KeyRing {
    /// The minimum length of a key: 32 bytes, the output of the signature's hash (RFC 2104, section 3).
    pub const MIN_KEY_LEN: usize = 32;

    /// A ring with one key, which signs and verifies.
    ///
    /// # Errors
    ///
    /// As for [`KeyRingBuilder::build`].
    pub fn new(key: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::builder(key).build()
    }

    /// A builder for a ring with more than one key; `key` is the one that signs.
    pub fn builder(key: impl AsRef<[u8]>) -> KeyRingBuilder {
        KeyRingBuilder(Self { current: key.as_ref().to_vec(), previous: Vec::new() })
    }

    /// A ring with one random key, for tests and trials: all sessions end with the process.
    ///
    /// # Panics
    ///
    /// If the operating system provides no random numbers.
    pub fn generate() -> Self {
        Self { current: Key::generate().master().to_vec(), previous: Vec::new() }
    }

    /// A builder that starts with these keys.
    pub fn to_builder(&self) -> KeyRingBuilder {
        KeyRingBuilder(self.clone())
    }

    /// The key that signs for this purpose, and the keys that only verify. The purpose is the name of a cookie, or
    /// `header:` and the name of a header.
    pub(crate) fn derive(&self, purpose: &str) -> (Key, Vec<Key>) {
        // A name contains no zero byte, so each pair of key and purpose has an input of its own.
        let derive =
            |key: &Vec<u8>| Key::derive_from(&[key, &b"\0"[..], purpose.as_bytes()].concat());
        (derive(&self.current), self.previous.iter().map(derive).collect())
    }
}

impl KeyRingBuilder {
    /// Adds a key that verifies and does not sign. Each one costs an HMAC for every cookie that the keys
    /// before it did not sign.
    pub fn previous(mut self, key: impl AsRef<[u8]>) -> Self {
        self.0.previous.push(key.as_ref().to_vec());
        self
    }

    /// The key ring.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidSetting`] if a key is shorter than [`KeyRing::MIN_KEY_LEN`]. There is no
    /// maximum length.
    pub fn build(self) -> Result<KeyRing, Error> {
        let mut keys = iter::once(&self.0.current).chain(&self.0.previous);
        match keys.find(|key| key.len() < KeyRing::MIN_KEY_LEN) {
            None => Ok(self.0),
            Some(key) => Err(Error::new(
                ErrorKind::InvalidSetting,
                format!(
                    "a key of {} bytes is too short to sign with: use at least {} random bytes, for \
                     example from `openssl rand -base64 48`",
                    key.len(),
                    KeyRing::MIN_KEY_LEN,
                ),
            )),
        }
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing(..)")
    }
}
