use std::{fmt, iter};

use cookie::{Cookie, CookieJar, Key};
use pycket_core::SessionId;

use crate::KeyRing;

/// Writes and reads the value of one cookie: the signature in base64, then the id's text.
#[derive(Clone)]
pub(crate) struct Signer {
    current: Key,
    previous: Vec<Key>,
}

/// An id that one of our keys signed.
pub(crate) struct Verified {
    pub(crate) id: SessionId,
    pub(crate) outdated_key: bool,
}

impl Signer {
    /// A SHA-256 digest in base64, with padding.
    const DIGEST_LEN: usize = 44;
    pub(crate) const VALUE_LEN: usize = Self::DIGEST_LEN + SessionId::TEXT_LEN;

    pub(crate) fn new(keys: &KeyRing, cookie_name: &str) -> Self {
        let (current, previous) = keys.derive(cookie_name);
        Self { current, previous }
    }

    pub(crate) fn sign(&self, id: &SessionId) -> String {
        let mut jar = CookieJar::new();
        jar.signed_mut(&self.current).add(("", id.expose()));
        jar.iter().map(Cookie::value).collect()
    }

    /// `None` unless `value` is exactly what [`sign`](Self::sign) wrote with one of the keys. What does
    /// not look like it costs no HMAC.
    pub(crate) fn verify(&self, value: &[u8]) -> Option<Verified> {
        if value.len() != Self::VALUE_LEN {
            return None;
        }
        let value = std::str::from_utf8(value).ok()?;
        let (_, id) = value.split_at_checked(Self::DIGEST_LEN)?;
        let id = id.parse::<SessionId>().ok()?;
        let mut keys = iter::once(&self.current).chain(&self.previous);
        let position = keys.position(|key| signed_with(key, value))?;
        Some(Verified { id, outdated_key: position > 0 })
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}

fn signed_with(key: &Key, value: &str) -> bool {
    CookieJar::new().signed(key).verify(Cookie::new("", value.to_owned())).is_some()
}
