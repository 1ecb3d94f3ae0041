//! `Cookie` headers, one per line.
//!
//! Only a value that a key of the ring signed opens a session, and other cookies never hide such a value.

use std::sync::LazyLock;
use std::time::Duration;

use pycket_cookie::{CookieSettings, KeyRing, Presented, SessionCookie};
use pycket_core::SessionId;

use crate::parts::{contains, id};

/// The key that signs.
pub(crate) const CURRENT: &str = "the current key, of at least 32 bytes";
/// A key that only verifies.
pub(crate) const PREVIOUS: &str = "the previous key, of at least 32 bytes";

static BOTH: LazyLock<SessionCookie> =
    LazyLock::new(|| cookie(&KeyRing::builder(CURRENT).previous(PREVIOUS).build().unwrap()));
static OLD: LazyLock<SessionCookie> = LazyLock::new(|| cookie(&KeyRing::new(PREVIOUS).unwrap()));

fn cookie(keys: &KeyRing) -> SessionCookie {
    SessionCookie::new(CookieSettings::builder().name("id").build().unwrap(), keys)
}

/// Checks one input.
pub fn check(headers: &[u8]) {
    let lines = || headers.split(|byte| *byte == b'\n');
    let presented = BOTH.read(lines());
    check_signatures(&presented, headers, |id, is_outdated| {
        let signer = if is_outdated { &OLD } else { &BOTH };
        value(&signer.issue(id, Duration::ZERO)).to_owned()
    });
    if !contains(headers, b"id") {
        assert_eq!(presented, Presented::Nothing);
    }

    let genuine = BOTH.issue(&id(), Duration::ZERO);
    let genuine = genuine.split(';').next().unwrap().as_bytes();
    let before = [genuine, b"; ", headers].concat();
    let after = [headers, b"; ", genuine].concat();
    for headers in [before, after] {
        assert!(is_found(&BOTH.read(headers.split(|byte| *byte == b'\n'))));
    }
}

/// Each id is presented once, and the request contains its signed text.
pub(crate) fn check_signatures(
    presented: &Presented,
    request: &[u8],
    signed: impl Fn(&SessionId, bool) -> String,
) {
    let Presented::Authentic(ids) = presented else { return };
    assert!(!ids.is_empty());
    for (index, found) in ids.iter().enumerate() {
        let text = signed(&found.id, found.outdated_key);
        assert!(contains(request, text.as_bytes()), "an id without a signature is accepted");
        assert!(ids.iter().skip(index + 1).all(|other| other.id != found.id));
    }
}

pub(crate) fn is_found(presented: &Presented) -> bool {
    matches!(presented, Presented::Authentic(ids) if ids.iter().any(|found| found.id == id()))
}

fn value(set_cookie: &str) -> &str {
    let pair = set_cookie.split(';').next().unwrap();
    pair.split_once('=').unwrap().1
}
