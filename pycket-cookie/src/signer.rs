use std::{fmt, iter};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cookie::Key;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use pycket_core::SessionId;
use sha2::Sha256;

use crate::{KeyRing, Presented, SignedId};

/// Writes and verifies the value of one cookie or header: the signature in base64, then the id as text.
///
/// The form is that of the signed jar of the `cookie` crate.
#[derive(Clone)]
pub(crate) struct Signer {
    current: Hmac<Sha256>,
    previous: Vec<Hmac<Sha256>>,
}

impl Signer {
    /// A SHA-256 digest in base64, with padding.
    const DIGEST_LEN: usize = 44;
    pub(crate) const VALUE_LEN: usize = Self::DIGEST_LEN + SessionId::TEXT_LEN;

    pub(crate) fn new(keys: &KeyRing, purpose: &str) -> Self {
        let (current, previous) = keys.derive(purpose);
        Self { current: keyed(&current), previous: previous.iter().map(keyed).collect() }
    }

    pub(crate) fn sign(&self, id: &SessionId) -> String {
        let text = id.expose();
        let digest = self.current.clone().chain_update(&text).finalize().into_bytes();
        STANDARD.encode(digest) + &text
    }

    /// The ids in the values that one of the keys signed, each once.
    pub(crate) fn verify_all<'a>(&self, values: impl Iterator<Item = &'a [u8]>) -> Presented {
        let mut presented = Presented::Nothing;
        let mut authentic: Vec<SignedId> = Vec::new();
        for value in values {
            presented = Presented::Rejected;
            let Some(signed) = self.verify(value) else { continue };
            match authentic.iter_mut().find(|earlier| earlier.id == signed.id) {
                Some(earlier) => earlier.outdated_key &= signed.outdated_key,
                None => authentic.push(signed),
            }
        }
        if authentic.is_empty() { presented } else { Presented::Authentic(authentic) }
    }

    /// The id in the value if one of the keys [signed](Self::sign) exactly this value. A value of the
    /// wrong length or form costs no HMAC.
    fn verify(&self, value: &[u8]) -> Option<SignedId> {
        if value.len() != Self::VALUE_LEN {
            return None;
        }
        let (encoded, text) = value.split_at_checked(Self::DIGEST_LEN)?;
        let id = std::str::from_utf8(text).ok()?.parse().ok()?;
        let mut digest = [0; Self::DIGEST_LEN];
        let len = STANDARD.decode_slice(encoded, &mut digest).ok()?;
        let digest = digest.get(..len)?;
        let mut keys = iter::once(&self.current).chain(&self.previous);
        let is_signed_by =
            |key: &Hmac<Sha256>| key.clone().chain_update(text).verify_slice(digest).is_ok();
        let position = keys.position(is_signed_by)?;
        Some(SignedId { id, outdated_key: position > 0 })
    }
}

/// The state after the key, so that each signature costs two blocks less.
fn keyed(key: &Key) -> Hmac<Sha256> {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    block.iter_mut().zip(key.signing()).for_each(|(to, from)| *to = *from);
    KeyInit::new(&block)
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}
