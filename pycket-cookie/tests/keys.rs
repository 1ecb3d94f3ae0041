//! The first key signs, all keys verify, and a release cannot silently make all cookies invalid.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod browser;

use std::time::Duration;

use pycket_cookie::{CookieSettings, KeyRing, Presented, SessionCookie, SignedId};
use pycket_core::{ErrorKind, SessionId};

const HOUR: Duration = Duration::from_secs(3600);
const OLDEST: &str = "the oldest key, of at least 32 bytes";
const OLD: &str = "an old key, of at least 32 bytes too";
const NEW: &str = "the new key, of at least 32 bytes too";

fn cookie_with(keys: &KeyRing) -> SessionCookie {
    SessionCookie::new(CookieSettings::default(), keys)
}

/// Whether the key was outdated when a server with `reader` reads a cookie of a server with `writer`;
/// `None` if it rejects the cookie.
fn outdated(writer: &KeyRing, reader: &KeyRing) -> Option<bool> {
    let id = SessionId::generate();
    let pair = browser::cookie_header(&cookie_with(writer).issue(&id, HOUR));
    match cookie_with(reader).read([pair.as_bytes()]) {
        Presented::Authentic(signed) => {
            let [SignedId { id: presented, outdated_key }] = *signed else {
                panic!("one cookie has one id");
            };
            assert_eq!(presented, id);
            Some(outdated_key)
        }
        other => {
            assert_eq!(other, Presented::Rejected);
            None
        }
    }
}

fn ring(current: &str, previous: &[&str]) -> KeyRing {
    let builder = KeyRing::builder(current);
    previous.iter().fold(builder, |builder, key| builder.previous(key)).build().unwrap()
}

#[test]
fn id_that_the_first_key_signed_too_is_not_outdated() {
    let id = SessionId::generate();
    let pair = |keys| browser::cookie_header(&cookie_with(keys).issue(&id, HOUR));
    let keys = ring(NEW, &[OLD]);
    let (old, new) = (pair(&ring(OLD, &[])), pair(&keys));
    for (header, outdated_key) in
        [(format!("{old}; {new}"), false), (format!("{new}; {old}"), false), (old, true)]
    {
        let presented = cookie_with(&keys).read([header.as_bytes()]);
        assert_eq!(presented, Presented::Authentic(vec![SignedId { id, outdated_key }]));
    }
}

#[test]
fn cookie_of_the_first_key_is_not_outdated() {
    assert_eq!(outdated(&ring(NEW, &[]), &ring(NEW, &[OLD, OLDEST])), Some(false));
}

#[test]
fn cookie_of_a_previous_key_is_authentic_and_outdated() {
    for key in [OLD, OLDEST] {
        assert_eq!(outdated(&ring(key, &[]), &ring(NEW, &[OLD, OLDEST])), Some(true), "{key}");
    }
}

#[test]
fn cookie_that_is_issued_again_is_not_outdated() {
    let rotated = ring(NEW, &[OLD]);
    assert_eq!(outdated(&rotated, &rotated), Some(false));
    assert_eq!(outdated(&rotated, &ring(NEW, &[])), Some(false));
}

#[test]
fn cookie_of_a_removed_key_is_rejected() {
    assert_eq!(outdated(&ring(OLDEST, &[]), &ring(NEW, &[OLD])), None);
}

#[test]
fn previous_key_does_not_sign() {
    assert_eq!(outdated(&ring(NEW, &[OLD]), &ring(OLD, &[])), None);
}

#[test]
fn cookie_is_not_outdated_if_the_current_key_is_also_a_previous_one() {
    assert_eq!(outdated(&ring(NEW, &[]), &ring(NEW, &[NEW])), Some(false));
}

#[test]
fn key_under_32_bytes_is_an_error_with_advice() {
    for length in [0, 1, 16, 31] {
        let key = vec![b'k'; length];
        for result in [KeyRing::new(&key), KeyRing::builder(NEW).previous(&key).build()] {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidSetting);
            let advice = "bytes is too short to sign with: use at least 32 random bytes, for example \
                          from `openssl rand -base64 48`";
            assert_eq!(error.to_string(), format!("a key of {length} {advice}"));
        }
    }
}

#[test]
fn key_of_any_length_from_32_bytes_signs_and_verifies() {
    for length in [32, 33, 44, 63, 64, 65, 128, 4096] {
        let keys = KeyRing::new(vec![7; length]).unwrap();
        assert_eq!(outdated(&keys, &keys), Some(false), "{length}");
    }
}

#[test]
fn keys_with_the_same_first_64_bytes_are_different() {
    let (one, other) = ([vec![7; 64], vec![1]].concat(), [vec![7; 64], vec![2]].concat());
    assert_eq!(outdated(&KeyRing::new(one).unwrap(), &KeyRing::new(other).unwrap()), None);
}

#[test]
fn keys_that_differ_in_trailing_zeros_are_different() {
    let (one, other) = (vec![7; 32], [vec![7; 32], vec![0; 8]].concat());
    assert_eq!(outdated(&KeyRing::new(one).unwrap(), &KeyRing::new(other).unwrap()), None);
}

#[test]
fn generated_keys_are_different() {
    let (one, other) = (KeyRing::generate(), KeyRing::generate());
    assert_eq!(outdated(&one, &one), Some(false));
    assert_eq!(outdated(&one, &other), None);
}

#[test]
fn debug_output_and_errors_hide_the_keys() {
    let keys = ring(NEW, &[OLD]);
    assert_eq!(format!("{keys:?}"), "KeyRing(..)");
    assert_eq!(format!("{:?}", KeyRing::builder(NEW)), "KeyRingBuilder(KeyRing(..))");

    let shown = format!("{:?}", cookie_with(&keys));
    assert!(shown.contains("Signer(..)"), "{shown}");

    let short = "hunter2";
    let error = KeyRing::new(short).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(short));
}

/// The expected values come from another program that implements the description in the README.
#[test]
fn signed_value_of_a_key_and_an_id_never_changes() {
    let id = "936da01f-9abd-4d9d-80c7-02af85c822a8".parse::<SessionId>().unwrap();
    let issue = |settings, key: &[u8]| {
        let cookie = SessionCookie::new(settings, &KeyRing::new(key).unwrap());
        browser::cookie_header(&cookie.issue(&id, HOUR))
    };
    assert_eq!(
        issue(CookieSettings::default(), b"a secret that is pinned by this test"),
        "PYCKET_ID=RPXe3lxUIMuHfe8AAi4dVASq+G5pLbZpQRHZdeuZn2Y=936da01f-9abd-4d9d-80c7-02af85c822a8",
    );
    assert_eq!(
        issue(CookieSettings::hardened(), &(0..100).collect::<Vec<u8>>()),
        "__Host-id=iWHtYsl0i9ERhoBxRc5itCckhaRDaCl/xxXd/kN/50o=936da01f-9abd-4d9d-80c7-02af85c822a8",
    );
}

/// Other programs can read the cookie with the `cookie` crate.
#[test]
fn value_is_that_of_the_signed_jar_of_the_cookie_crate() {
    let secret = "a secret of at least thirty-two bytes";
    let key = cookie::Key::derive_from(&[secret.as_bytes(), b"\0PYCKET_ID"].concat());
    let ours = SessionCookie::new(CookieSettings::default(), &KeyRing::new(secret).unwrap());
    let id = SessionId::generate();
    let mut jar = cookie::CookieJar::new();
    jar.signed_mut(&key).add(("PYCKET_ID", id.expose()));
    let theirs = jar.get("PYCKET_ID").unwrap().value();
    let set_cookie = ours.issue(&id, HOUR);
    assert_eq!(set_cookie.split(';').next(), Some(&*format!("PYCKET_ID={theirs}")));
}
