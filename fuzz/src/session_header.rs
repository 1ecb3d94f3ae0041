//! Headers that carry a session id, one per line.
//!
//! Only a value that a key of the ring signed opens a session. A signed cookie does not.

use std::sync::LazyLock;

use pycket_cookie::{KeyRing, Presented, SessionHeader};

use crate::cookie_header::{CURRENT, PREVIOUS, check_signatures, is_found};
use crate::parts::id;

static BOTH: LazyLock<SessionHeader> =
    LazyLock::new(|| header(&KeyRing::builder(CURRENT).previous(PREVIOUS).build().unwrap()));
static OLD: LazyLock<SessionHeader> = LazyLock::new(|| header(&KeyRing::new(PREVIOUS).unwrap()));

fn header(keys: &KeyRing) -> SessionHeader {
    SessionHeader::new("Session-Id", keys).unwrap()
}

/// Checks one input.
pub fn check(values: &[u8]) {
    let lines = || values.split(|byte| *byte == b'\n');
    let presented = BOTH.read(lines());
    check_signatures(
        &presented,
        values,
        |id, is_outdated| {
            if is_outdated { OLD.issue(id) } else { BOTH.issue(id) }
        },
    );
    let is_empty = lines().all(|line| line.trim_ascii().is_empty());
    assert_eq!(presented == Presented::Nothing, is_empty);
    let genuine = BOTH.issue(&id());
    assert!(is_found(&BOTH.read(lines().chain([genuine.as_bytes()]))));
}
