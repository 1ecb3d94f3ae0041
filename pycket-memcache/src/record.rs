//! A record as an item of memcached. Described in `docs/wire-format.md`.

use pycket_core::driver::corrupt;
use pycket_core::{Error, Record};
use rmp::decode;

use crate::expiry::ItemExpiry;

/// An expiry always has this marker and eight bytes, so that each touch adds the same few bytes to every item.
const EXPIRY_MARKER: u8 = 0xcf;

/// What a request to memcached carries.
pub(crate) struct Payload {
    pub(crate) bytes: Vec<u8>,
    pub(crate) exptime: u32,
}

/// A decoded item.
pub(crate) struct Decoded {
    pub(crate) record: Record,
    /// In milliseconds since 1970. Each touch appends an expiry, and the last one counts.
    pub(crate) expires_at: u64,
    pub(crate) expiries: usize,
}

pub(crate) fn encode(record: &Record, expiry: ItemExpiry) -> Payload {
    let Payload { bytes: suffix, exptime } = encode_expiry(expiry);
    let mut bytes = record.encode();
    bytes.extend(suffix);
    Payload { bytes, exptime }
}

pub(crate) fn encode_expiry(expiry: ItemExpiry) -> Payload {
    let mut bytes = vec![EXPIRY_MARKER];
    bytes.extend(expiry.expires_at.to_be_bytes());
    Payload { bytes, exptime: expiry.exptime }
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded, Error> {
    let (record, mut rest) = Record::decode_prefix(bytes)?;
    let (mut last, mut expiries) = (None, 0);
    while !rest.is_empty() {
        last = Some(number(&mut rest).ok_or_else(|| corrupt("its expiry is damaged"))?);
        expiries += 1;
    }
    let expires_at = last.ok_or_else(|| corrupt("its expiry is missing"))?;
    Ok(Decoded { record, expires_at, expiries })
}

/// Whether the item was written as a session, of any version, and may be damaged.
pub(crate) fn looks_like_a_session(mut bytes: &[u8]) -> bool {
    decode::read_array_len(&mut bytes).is_ok() && number(&mut bytes).is_some()
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    decode::read_int(bytes).ok()
}
