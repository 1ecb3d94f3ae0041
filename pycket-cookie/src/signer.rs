use std::{fmt, iter};

use cookie::{Cookie, CookieJar, Key};
use pycket_core::SessionId;

use crate::{KeyRing, SignedId};

/// Writes and verifies the value of one cookie: the signature in base64, then the id as text.
#[derive(Clone)]
pub(crate) struct Signer {
    current: Key,
    previous: Vec<Key>,
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

    /// The id in the value if one of the keys [signed](Self::sign) exactly this value. A value of the
    /// wrong length or form costs no HMAC.
    pub(crate) fn verify(&self, value: &[u8]) -> Option<SignedId> {
        if value.len() != Self::VALUE_LEN {
            return None;
        }
        let value = std::str::from_utf8(value).ok()?;
        let (_, id) = value.split_at_checked(Self::DIGEST_LEN)?;
        let id = id.parse().ok()?;
        let mut keys = iter::once(&self.current).chain(&self.previous);
        let position = keys.position(|key| is_signed_by(key, value))?;
        Some(SignedId { id, outdated_key: position > 0 })
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}

fn is_signed_by(key: &Key, value: &str) -> bool {
    CookieJar::new().signed(key).verify(Cookie::new("", value.to_owned())).is_some()
}
