use std::fmt;

use cookie::Key;
use pycket_core::{Error, ErrorKind};

/// The secrets that make a cookie ours: the first key signs, all of them verify.
///
/// A key is at least 32 bytes that nobody can guess, the same on every server of the application and
/// after every restart, for example from `openssl rand -base64 48`. The text is used as it is, not
/// decoded. Nothing signs with the key itself: [`SessionCookie`](crate::SessionCookie) derives one for
/// its cookie's name, so a value that the same secret signed for another purpose is not valid here.
///
/// # Rotation
///
/// Put the new key first and keep the old one as a previous key. Cookies of the old key stay valid and
/// are reported as [outdated](crate::Presented::Authentic), so that they can be issued anew. When the
/// longest session has ended, take the old key out. A key that leaked is taken out at once: whoever has
/// it can sign whatever they like.
///
/// ```
/// use pycket_cookie::KeyRing;
///
/// # fn secret(name: &str) -> String { format!("{name}, a secret of at least 32 bytes") }
/// let keys = KeyRing::new(secret("SESSION_KEY"))?.with_previous(secret("OLD_SESSION_KEY"))?;
/// assert_eq!(format!("{keys:?}"), "KeyRing(..)");
/// # Ok::<(), pycket_core::Error>(())
/// ```
#[derive(Clone)]
pub struct KeyRing {
    current: Vec<u8>,
    previous: Vec<Vec<u8>>,
}

impl KeyRing {
    /// The least length of a key, in bytes: what the strength of the signature (HMAC-SHA-256) calls for.
    pub const MIN_KEY_LEN: usize = 32;

    /// A ring of this key only.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidSetting`] for a key of less than [`KeyRing::MIN_KEY_LEN`] bytes. There is no
    /// upper limit.
    pub fn new(key: impl AsRef<[u8]>) -> Result<Self, Error> {
        Ok(Self { current: long_enough(key.as_ref())?, previous: Vec::new() })
    }

    /// A random key that ends with the process, and with it every session: for tests and trials.
    ///
    /// # Panics
    ///
    /// If the operating system has no random numbers to give.
    pub fn generate() -> Self {
        Self { current: Key::generate().master().to_vec(), previous: Vec::new() }
    }

    /// The same ring with one more key that verifies and does not sign. Each further key costs one more
    /// HMAC for a cookie that none before it signed.
    ///
    /// # Errors
    ///
    /// As for [`KeyRing::new`].
    pub fn with_previous(mut self, key: impl AsRef<[u8]>) -> Result<Self, Error> {
        self.previous.push(long_enough(key.as_ref())?);
        Ok(self)
    }

    /// The key that signs cookies of this name, then those that only verify them.
    pub(crate) fn derive(&self, cookie_name: &str) -> (Key, Vec<Key>) {
        let for_name = |key: &Vec<u8>| derive_for(key, cookie_name);
        (for_name(&self.current), self.previous.iter().map(for_name).collect())
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing(..)")
    }
}

fn long_enough(key: &[u8]) -> Result<Vec<u8>, Error> {
    if key.len() >= KeyRing::MIN_KEY_LEN {
        return Ok(key.to_vec());
    }
    Err(Error::new(
        ErrorKind::InvalidSetting,
        format!(
            "a key of {} bytes is too short to sign with: use {} random bytes or more",
            key.len(),
            KeyRing::MIN_KEY_LEN,
        ),
    ))
}

/// A name holds no zero byte, so no two pairs of key and name have the same input.
fn derive_for(key: &[u8], cookie_name: &str) -> Key {
    Key::derive_from(&[key, b"\0", cookie_name.as_bytes()].concat())
}
