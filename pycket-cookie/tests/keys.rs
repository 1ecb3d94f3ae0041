//! The first key signs, all verify, and a release cannot silently sign everybody out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod browser;

use std::time::Duration;

use pycket_cookie::{CookieSettings, KeyRing, Presented, SessionCookie};
use pycket_core::{ErrorKind, SessionId};

const HOUR: Duration = Duration::from_secs(3600);
const OLDEST: &str = "the oldest key, of at least 32 bytes";
const OLD: &str = "an old key, of at least 32 bytes too";
const NEW: &str = "the new key, of at least 32 bytes too";

fn cookie_with(keys: &KeyRing) -> SessionCookie {
    SessionCookie::new(CookieSettings::default(), keys)
}

/// What a server with `reader` makes of a cookie of a server with `writer`.
fn hand_over(writer: &KeyRing, reader: &KeyRing) -> Option<bool> {
    let id = SessionId::generate();
    let pair = browser::sends_back(&cookie_with(writer).issue(&id, HOUR));
    match cookie_with(reader).read([pair.as_bytes()]) {
        Presented::Authentic { id: presented, outdated_key } => {
            assert_eq!(presented, id);
            Some(outdated_key)
        }
        refused => {
            assert_eq!(refused, Presented::Rejected);
            None
        }
    }
}

fn ring(current: &str, previous: &[&str]) -> KeyRing {
    let ring = KeyRing::new(current).unwrap();
    previous.iter().fold(ring, |ring, key| ring.with_previous(key).unwrap())
}

#[test]
fn a_cookie_of_the_first_key_is_up_to_date() {
    assert_eq!(hand_over(&ring(NEW, &[]), &ring(NEW, &[OLD, OLDEST])), Some(false));
}

#[test]
fn a_cookie_of_any_previous_key_is_authentic_and_outdated() {
    for key in [OLD, OLDEST] {
        assert_eq!(hand_over(&ring(key, &[]), &ring(NEW, &[OLD, OLDEST])), Some(true), "{key}");
    }
}

#[test]
fn a_cookie_that_is_issued_anew_is_up_to_date() {
    let rotated = ring(NEW, &[OLD]);
    assert_eq!(hand_over(&rotated, &rotated), Some(false));
    assert_eq!(hand_over(&rotated, &ring(NEW, &[])), Some(false));
}

#[test]
fn a_cookie_of_a_key_that_was_taken_out_is_rejected() {
    assert_eq!(hand_over(&ring(OLDEST, &[]), &ring(NEW, &[OLD])), None);
}

#[test]
fn a_previous_key_does_not_sign() {
    assert_eq!(hand_over(&ring(NEW, &[OLD]), &ring(OLD, &[])), None);
}

#[test]
fn the_current_key_repeated_as_a_previous_one_is_up_to_date() {
    assert_eq!(hand_over(&ring(NEW, &[]), &ring(NEW, &[NEW])), Some(false));
}

#[test]
fn keys_under_32_bytes_are_refused_with_advice() {
    for length in [0, 1, 16, 31] {
        let key = vec![b'k'; length];
        let refusals = [KeyRing::new(&key), ring(NEW, &[]).with_previous(&key)];
        for refusal in refusals {
            let error = refusal.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidSetting);
            let advice = "bytes is too short to sign with: use 32 random bytes or more";
            assert_eq!(error.to_string(), format!("a key of {length} {advice}"));
        }
    }
}

#[test]
fn every_length_from_32_bytes_signs_and_verifies() {
    for length in [32, 33, 44, 63, 64, 65, 128, 4096] {
        let keys = KeyRing::new(vec![7; length]).unwrap();
        assert_eq!(hand_over(&keys, &keys), Some(false), "{length}");
    }
}

#[test]
fn keys_that_share_their_first_64_bytes_are_different_keys() {
    let (one, other) = ([vec![7; 64], vec![1]].concat(), [vec![7; 64], vec![2]].concat());
    assert_eq!(hand_over(&KeyRing::new(one).unwrap(), &KeyRing::new(other).unwrap()), None);
}

#[test]
fn keys_that_differ_in_trailing_zeros_are_different_keys() {
    let (one, other) = (vec![7; 32], [vec![7; 32], vec![0; 8]].concat());
    assert_eq!(hand_over(&KeyRing::new(one).unwrap(), &KeyRing::new(other).unwrap()), None);
}

#[test]
fn generated_keys_differ() {
    let (one, other) = (KeyRing::generate(), KeyRing::generate());
    assert_eq!(hand_over(&one, &one), Some(false));
    assert_eq!(hand_over(&one, &other), None);
}

#[test]
fn debug_output_and_errors_hide_the_keys() {
    let keys = ring(NEW, &[OLD]);
    assert_eq!(format!("{keys:?}"), "KeyRing(..)");

    let shown = format!("{:?}", cookie_with(&keys));
    assert!(shown.contains("Signer(..)"), "{shown}");

    let short = "hunter2";
    let error = KeyRing::new(short).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(short));
}

/// The expected values come from another program, written after the README's description.
#[test]
fn the_signed_value_of_a_key_and_an_id_never_changes() {
    let id = "936da01f-9abd-4d9d-80c7-02af85c822a8".parse::<SessionId>().unwrap();
    let issue = |settings, key: &[u8]| {
        let cookie = SessionCookie::new(settings, &KeyRing::new(key).unwrap());
        browser::sends_back(&cookie.issue(&id, HOUR))
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
