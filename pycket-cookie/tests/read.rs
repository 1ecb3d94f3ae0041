//! Reading finds the authentic cookie among all other content of a request, and accepts no other.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod browser;

use std::time::Duration;

use proptest::prelude::*;
use pycket_cookie::{CookieSettings, KeyRing, Presented, SessionCookie, SignedId};
use pycket_core::SessionId;

const HOUR: Duration = Duration::from_secs(3600);
const DIGEST_LEN: usize = 44;

fn session_cookie(key: &str) -> SessionCookie {
    SessionCookie::new(CookieSettings::default(), &KeyRing::new(key).unwrap())
}

fn own_cookie() -> SessionCookie {
    session_cookie("the key of this application, long enough")
}

fn foreign_cookie() -> SessionCookie {
    session_cookie("the key of another application, also long")
}

/// A new id and the `Cookie` header of its client.
fn client(cookie: &SessionCookie) -> (SessionId, String) {
    let id = SessionId::generate();
    (id, browser::cookie_header(&cookie.issue(&id, HOUR)))
}

fn read(header: &str) -> Presented {
    own_cookie().read([header.as_bytes()])
}

fn authentic(id: SessionId) -> Presented {
    Presented::Authentic(vec![SignedId { id, outdated_key: false }])
}

#[test]
fn issued_cookie_is_read_as_its_id() {
    let (id, pair) = client(&own_cookie());
    assert_eq!(read(&pair), authentic(id));
}

#[test]
fn request_without_the_cookie_presents_nothing() {
    assert_eq!(own_cookie().read([]), Presented::Nothing);
    for header in
        ["", ";", "=", "theme=dark; lang=eo", "PYCKET_ID", "my_PYCKET_ID=x", "PYCKET_IDS=x"]
    {
        assert_eq!(read(header), Presented::Nothing, "{header}");
    }
}

#[test]
fn cookie_name_is_case_sensitive() {
    let (_, pair) = client(&own_cookie());
    assert_eq!(read(&pair.replace("PYCKET_ID", "pycket_id")), Presented::Nothing);
}

#[test]
fn unsigned_id_is_rejected() {
    let id = SessionId::generate().expose();
    assert_eq!(read(&format!("PYCKET_ID={id}")), Presented::Rejected);
    assert_eq!(read(&format!("PYCKET_ID={}{id}", "A".repeat(DIGEST_LEN))), Presented::Rejected);
    assert_eq!(
        read(&format!("PYCKET_ID={}={id}", "A".repeat(DIGEST_LEN - 1))),
        Presented::Rejected
    );
}

#[test]
fn signature_of_another_id_is_rejected() {
    let (id, pair) = client(&own_cookie());
    let other = SessionId::generate();
    assert_eq!(read(&pair.replace(&id.expose(), &other.expose())), Presented::Rejected);
}

#[test]
fn cookie_of_another_key_is_rejected() {
    let (_, foreign) = client(&foreign_cookie());
    assert_eq!(read(&foreign), Presented::Rejected);
}

#[test]
fn value_signed_for_another_cookie_name_is_rejected() {
    let keys = KeyRing::new("the key of this application, long enough").unwrap();
    let settings = CookieSettings::builder().name("remember_me").build().unwrap();
    let (_, pair) = client(&SessionCookie::new(settings, &keys));
    assert_eq!(read(&pair.replace("remember_me", "PYCKET_ID")), Presented::Rejected);
}

#[test]
fn shortened_or_lengthened_value_is_rejected() {
    let (_, pair) = client(&own_cookie());
    for length in "PYCKET_ID=".len()..pair.len() {
        assert_eq!(read(&pair[..length]), Presented::Rejected, "{length} bytes");
    }
    for longer in [format!("{pair}0"), pair.replace("PYCKET_ID=", "PYCKET_ID=A"), pair.repeat(2)] {
        assert_eq!(read(&longer), Presented::Rejected, "{} bytes", longer.len());
    }
}

#[test]
fn other_spelling_of_an_authentic_value_is_rejected() {
    let (id, pair) = client(&own_cookie());
    let upper_case = pair.replace(&id.expose(), &id.expose().to_uppercase());
    let percent_encoded = pair.replacen("PYCKET_ID=", "", 1).replace('=', "%3D");
    assert_eq!(read(&upper_case), Presented::Rejected);
    assert_eq!(read(&format!("PYCKET_ID={percent_encoded}")), Presented::Rejected);
}

#[test]
fn authentic_cookie_is_found_among_invalid_ones_of_its_name() {
    let (id, pair) = client(&own_cookie());
    let (_, foreign) = client(&foreign_cookie());
    let invalid = format!("PYCKET_ID=; PYCKET_ID; PYCKET_ID=x; PYCKET_ID=\"; {foreign}");
    assert_eq!(read(&format!("{invalid}; {pair}")), authentic(id));
    assert_eq!(read(&format!("{pair}; {invalid}")), authentic(id));
    assert_eq!(read(&invalid), Presented::Rejected);
}

#[test]
fn authentic_cookies_are_read_in_order_and_each_once() {
    let clients: Vec<_> = (0..6).map(|_| client(&own_cookie())).collect();
    let pairs = clients.iter().map(|(_, pair)| pair.as_str()).collect::<Vec<_>>();
    let header = format!("{}; PYCKET_ID=forged; {}", pairs.join("; "), pairs.join("; "));
    let ids = clients.iter().map(|(id, _)| SignedId { id: *id, outdated_key: false }).collect();
    assert_eq!(read(&header), Presented::Authentic(ids));
}

#[test]
fn authentic_cookie_is_found_in_any_of_several_headers() {
    let (id, pair) = client(&own_cookie());
    let headers: [&[u8]; 3] = [b"theme=dark", b"PYCKET_ID=forged; \xff\xfe", pair.as_bytes()];
    assert_eq!(own_cookie().read(headers), authentic(id));
}

#[test]
fn quoted_value_and_white_space_are_accepted() {
    let (id, pair) = client(&own_cookie());
    let value = pair.strip_prefix("PYCKET_ID=").unwrap();
    for header in [
        format!("PYCKET_ID=\"{value}\""),
        format!("theme=dark;{pair}"),
        format!("theme=dark;\t  PYCKET_ID = {value} ;lang=eo"),
        format!(";;{pair};;"),
    ] {
        assert_eq!(read(&header), authentic(id), "{}", header.replace(value, "…"));
    }
    for header in [format!("PYCKET_ID=\"{value}"), format!("PYCKET_ID=\"\"{value}\"\"")] {
        assert_eq!(read(&header), Presented::Rejected);
    }
}

#[test]
fn authentic_cookie_is_found_among_bytes_that_are_not_text() {
    let (id, pair) = client(&own_cookie());
    let mut header = b"\xf0\x28\x8c=\xff; PYCKET_ID=\xc3\x28; \x00\x01; ".to_vec();
    header.extend_from_slice(pair.as_bytes());
    assert_eq!(own_cookie().read([header.as_slice()]), authentic(id));
}

#[test]
fn value_with_a_character_across_the_signature_end_is_rejected() {
    let value = format!("{}é{}", "A".repeat(DIGEST_LEN - 1), "a".repeat(35));
    assert_eq!(read(&format!("PYCKET_ID={value}")), Presented::Rejected);
}

#[test]
fn header_of_100_kilobytes_is_read_to_its_end() {
    let (id, pair) = client(&own_cookie());
    let long_value = format!("PYCKET_ID={}; {pair}", "A".repeat(100_000));
    let many_forged = format!("PYCKET_ID={}; ", "A".repeat(80)).repeat(1_000) + &pair;
    let many_foreign = format!("{}; ", client(&foreign_cookie()).1).repeat(1_000) + &pair;
    for header in [long_value, many_forged, many_foreign] {
        assert_eq!(read(&header), authentic(id));
    }
}

#[test]
fn debug_output_of_a_presented_cookie_hides_the_id() {
    let (id, pair) = client(&own_cookie());
    let shown = format!("{:?}", read(&pair));
    assert!(shown.contains("Authentic") && !shown.contains(&id.expose()), "{shown}");
}

proptest! {
    #[test]
    fn random_headers_are_never_authentic_and_never_panic(
        headers in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..4),
    ) {
        let presented = own_cookie().read(headers.iter().map(Vec::as_slice));
        let is_authentic = matches!(presented, Presented::Authentic { .. });
        prop_assert!(!is_authentic);
    }

    #[test]
    fn random_values_are_always_rejected(
        value in prop_oneof![
            prop::collection::vec(any::<u8>(), 80),
            prop::collection::vec(any::<u8>(), 0..200),
            "[A-Za-z0-9+/=]{44}[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
                .prop_map(String::into_bytes),
        ],
    ) {
        let header = [b"PYCKET_ID=".as_slice(), &value].concat();
        prop_assert_eq!(own_cookie().read([header.as_slice()]), Presented::Rejected);
    }

    #[test]
    fn authentic_cookie_is_found_among_random_bytes(
        before in prop::collection::vec(any::<u8>(), 0..300),
        after in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let (id, pair) = client(&own_cookie());
        let header = [&before, b";".as_slice(), pair.as_bytes(), b";", &after].concat();
        prop_assert_eq!(own_cookie().read([header.as_slice()]), authentic(id));
    }

    #[test]
    fn value_with_one_changed_byte_is_rejected(position in 0..80_usize, byte in any::<u8>()) {
        let (_, pair) = client(&own_cookie());
        let mut header = pair.into_bytes();
        let changed = &mut header["PYCKET_ID=".len() + position];
        prop_assume!(*changed != byte);
        *changed = byte;
        prop_assert_eq!(own_cookie().read([header.as_slice()]), Presented::Rejected);
    }
}
