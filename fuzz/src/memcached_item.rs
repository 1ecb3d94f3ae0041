//! An item of memcached: a record and its expiries.
//!
//! What is read is written and read as the same, and the last of several expiries counts.

use pycket_core::{ErrorKind, Ttl};
use pycket_memcache::fuzzing::{decode, encode, encode_expiry, looks_like_a_session, remaining};

use crate::parts::bounded;
use crate::record::memory;

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let (record, expires_at, expiries) = match bounded(memory(bytes), || decode(bytes)) {
        Ok(item) => item,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            let _ = looks_like_a_session(bytes);
            return;
        }
    };
    assert!(looks_like_a_session(bytes) && expiries > 0);
    let mut written = encode(&record, expires_at);
    assert!(decode(&written).unwrap() == (record.clone(), expires_at, 1));
    written.extend(encode_expiry(7));
    assert!(decode(&written).unwrap() == (record, 7, 2));

    for now in [0, 1, expires_at, expires_at.saturating_add(1), u64::MAX] {
        for server_seconds in [None, Some(0), Some(expiries as u64), Some(u64::MAX)] {
            let (millis, exptime) = remaining(expires_at, now, server_seconds);
            assert!(millis <= Ttl::MAX.as_millis() && exptime <= i32::MAX as u32);
        }
    }
}
