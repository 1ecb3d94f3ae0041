//! The header for clients without a cookie jar.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use pycket_cookie::{CookieSettings, KeyRing, Presented, SessionCookie, SessionHeader, SignedId};
use pycket_core::{ErrorKind, SessionId};

const KEY: &str = "the key of every test, thirty-two bytes or more";

fn header(name: &str) -> SessionHeader {
    SessionHeader::new(name, &KeyRing::new(KEY).unwrap()).unwrap()
}

fn authentic(id: SessionId) -> Presented {
    Presented::Authentic(vec![SignedId { id, outdated_key: false }])
}

/// As the value that a program in another language makes of the id, the key and the name.
#[test]
fn value_is_a_signature_and_the_id_as_in_the_cookie() {
    let id: SessionId = "01234567-89ab-4cde-8f01-23456789abcd".parse().unwrap();
    let value = header("Session-Id").issue(&id);
    assert_eq!(
        value,
        "hNLdliBfSpXYDwBECtg5L16p5/E+lLNvFPXR1nlvLrs=01234567-89ab-4cde-8f01-23456789abcd"
    );
}

#[test]
fn header_is_read_in_any_case_of_its_name_and_with_spaces_around() {
    let id = SessionId::generate();
    let value = header("Session-Id").issue(&id);
    assert_eq!(header("SESSION-ID").read([format!(" {value}\t").as_bytes()]), authentic(id));
}

#[test]
fn name_of_the_header_is_in_lower_case() {
    assert_eq!(header("Session-Id").name(), "session-id");
}

#[test]
fn missing_and_empty_headers_are_no_id_and_others_are_rejected() {
    let header = header("Session-Id");
    assert_eq!(header.read([]), Presented::Nothing);
    assert_eq!(header.read([&b""[..], b"  "]), Presented::Nothing);
    let valid = header.issue(&SessionId::generate());
    for value in ["x", "\u{e9}", &valid[1..], &format!("{valid}x"), &format!("{valid}, {valid}")] {
        assert_eq!(header.read([value.as_bytes()]), Presented::Rejected, "{value}");
    }
}

#[test]
fn all_ids_of_several_headers_are_read_once_and_in_order() {
    let header = header("Session-Id");
    let [one, two] = [SessionId::generate(), SessionId::generate()];
    let values = [header.issue(&one), header.issue(&two), header.issue(&one), String::new()];
    let signed = [one, two].map(|id| SignedId { id, outdated_key: false });
    let presented = header.read(values.iter().map(String::as_bytes));
    assert_eq!(presented, Presented::Authentic(signed.to_vec()));
}

#[test]
fn value_is_valid_in_no_other_header_and_in_no_cookie() {
    let id = SessionId::generate();
    let keys = KeyRing::new(KEY).unwrap();
    let value = header("sid").issue(&id);
    assert_eq!(header("sid2").read([value.as_bytes()]), Presented::Rejected);
    let settings = CookieSettings::builder().name("sid").build().unwrap();
    let cookie = SessionCookie::new(settings, &keys);
    assert_eq!(cookie.read([format!("sid={value}").as_bytes()]), Presented::Rejected);
    let issued = cookie.issue(&id, Duration::ZERO);
    let (value, _) = issued.strip_prefix("sid=").unwrap().split_once(';').unwrap();
    assert_eq!(header("sid").read([value.as_bytes()]), Presented::Rejected);
}

/// Otherwise a cookie could be named so that its keys are those of the header.
#[test]
fn no_cookie_can_be_named_like_the_keys_of_a_header() {
    assert!(CookieSettings::builder().name("header:sid").build().is_err());
}

#[test]
fn header_of_a_previous_key_is_reported_as_outdated() {
    let id = SessionId::generate();
    let old = header("sid").issue(&id);
    let keys = KeyRing::builder("the new key, thirty-two bytes or more").previous(KEY);
    let header = SessionHeader::new("sid", &keys.build().unwrap()).unwrap();
    let outdated = Presented::Authentic(vec![SignedId { id, outdated_key: true }]);
    assert_eq!(header.read([old.as_bytes()]), outdated);
}

#[test]
fn name_that_http_does_not_leave_free_is_an_error_that_names_another() {
    let keys = KeyRing::new(KEY).unwrap();
    for name in ["", "a b", "a:b", "\u{e9}", "Cookie", "Authorization", "Content-Type", "Sec-Id"] {
        let error = SessionHeader::new(name, &keys).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSetting, "{name}");
        assert!(error.to_string().contains("`Session-Id`"), "{error}");
    }
    let longest = "a".repeat(64);
    for name in ["X-Session", "session_id", "S", &longest] {
        SessionHeader::new(name, &keys).unwrap();
    }
    let error = SessionHeader::new(&format!("{longest}a"), &keys).unwrap_err();
    assert!(error.to_string().contains("at most 64 characters"), "{error}");
}

#[test]
fn debug_output_has_no_key() {
    let header = header("sid");
    assert_eq!(format!("{header:?}"), "SessionHeader { name: \"sid\", signer: Signer(..) }");
}
