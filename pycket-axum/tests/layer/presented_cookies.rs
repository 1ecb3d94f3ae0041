//! Forged, invalid and unknown cookies.

use axum::body::Body;
use http::header::{COOKIE, HeaderValue};
use http::{Request, StatusCode};
use pycket_cookie::{CookieSettings, KeyRing, SessionCookie};
use pycket_core::SessionId;
use pycket_testkit::Calls;

use crate::site::{KEY, Site};

/// The `name=value` of an authentic cookie whose session does not exist.
fn pair(cookie: &SessionCookie) -> String {
    let issued = cookie.issue(&SessionId::generate(), std::time::Duration::ZERO);
    issued.split(';').next().unwrap().to_owned()
}

fn post_set(cookies: &[&[u8]]) -> Request<Body> {
    let mut request = Request::post("/set/age").body(Body::empty()).unwrap();
    for cookie in cookies {
        request.headers_mut().append(COOKIE, HeaderValue::from_bytes(cookie).unwrap());
    }
    request
}

/// Cookies that no key of the site signed, made from an authentic one.
fn forgeries(good: &str) -> Vec<(&'static str, Vec<u8>)> {
    let (name, value) = good.split_once('=').unwrap();
    let (signature, id) = value.split_at(value.len() - SessionId::TEXT_LEN);
    let foreign_key = KeyRing::new("a key that this site never had, and long enough").unwrap();
    let foreign = pair(&SessionCookie::new(CookieSettings::default(), &foreign_key));
    let other_name = CookieSettings::builder().name("OTHER").build().unwrap();
    let other_name = pair(&SessionCookie::new(other_name, &KeyRing::new(KEY).unwrap()));
    let (_, other_value) = other_name.split_once('=').unwrap();
    let new_id = SessionId::generate().expose();
    let mut flipped = good.as_bytes().to_vec();
    flipped[name.len() + 1] ^= 1;
    vec![
        ("an empty value", format!("{name}=").into()),
        ("no value", name.into()),
        ("an id without a signature", format!("{name}={id}").into()),
        ("a signature without an id", format!("{name}={signature}").into()),
        ("a signature for another id", format!("{name}={signature}{new_id}").into()),
        ("a truncated value", good[..good.len() - 1].into()),
        ("a longer value", format!("{good}0").into()),
        ("one bit flipped", flipped),
        ("another spelling of the id", format!("{name}={signature}{}", id.to_uppercase()).into()),
        ("a key that the site never had", foreign.into()),
        ("the site's key, for a cookie of another name", format!("{name}={other_value}").into()),
        ("a name in another case", good.to_lowercase().into()),
        ("not ASCII", "PYCKET_ID=žluťoučký kůň\u{1f36a}".into()),
        ("not UTF-8", b"PYCKET_ID=\xff\xfe\xfd".to_vec()),
        ("not UTF-8, of the right length", [&b"PYCKET_ID="[..], &[0xfe; 80]].concat()),
        ("separators only", b";;;===;;; ; =; ".to_vec()),
        ("100 kB in one value", format!("{name}={}", "A".repeat(100_000)).into()),
        ("100 kB of cookies of the name", format!("{name}=AAAA; ").repeat(6_000).into()),
        ("many of the right length", format!("{name}={}; ", "A".repeat(80)).repeat(1_000).into()),
    ]
}

#[tokio::test]
async fn forged_cookie_never_reaches_the_store_and_counts_as_none() {
    let site = Site::new();
    let good = site.client().await;
    for (what, forgery) in forgeries(&good) {
        let mut reading = post_set(&[&forgery]);
        *reading.method_mut() = http::Method::GET;
        *reading.uri_mut() = "/names".parse().unwrap();
        let response = site.send(reading).await;
        assert_eq!((response.status, &*response.body), (StatusCode::OK, ""), "{what}");
        assert!(response.set_cookies().is_empty(), "{what}");
        assert_eq!(site.calls.take(), Calls::default(), "{what}");

        let response = site.send(post_set(&[&forgery])).await;
        assert_eq!(site.calls.take(), Calls { create: 1, ..Calls::default() }, "{what}");
        assert_eq!(site.names(&response.cookie()).await, "age", "{what}");
        site.calls.take();
    }
    assert_eq!(site.names(&good).await, "user", "the session of the authentic cookie is unchanged");
}

#[tokio::test]
async fn invalid_cookies_around_the_authentic_one_are_ignored() {
    let site = Site::new();
    let good = site.client().await;
    let good = good.as_bytes();
    let invalid = b"PYCKET_ID=invalid";
    let same_header = [&invalid[..], b"; theme=dark; ", good, b"; PYCKET_ID=more"].concat();
    let not_ascii = b"note=\xf0\x9f\x8d\xaa";
    for cookies in [
        &[&same_header[..]][..],
        &[invalid, good],
        &[good, invalid],
        &[not_ascii, good],
        &[&[not_ascii, &b";"[..], good].concat()],
    ] {
        let response = site.send(post_set(cookies)).await;
        assert_eq!(response.status, StatusCode::OK);
        assert!(response.set_cookies().is_empty(), "the session is that of the authentic cookie");
        assert_eq!(site.calls.take().load, 1);
    }
    assert_eq!(site.memory.len(), 1);
}

#[tokio::test]
async fn unknown_authentic_id_is_replaced_by_the_first_write() {
    let site = Site::new();
    let unknown = pair(&site.cookie);
    let response = site.post("/set/user", &unknown).await;
    let cookie = response.cookie();
    assert_ne!(cookie, unknown);
    assert_eq!(site.names(&cookie).await, "user");
    assert_eq!(site.names(&unknown).await, "", "the unknown id was not adopted");
}

#[tokio::test]
async fn unknown_authentic_id_is_kept_by_a_read() {
    let site = Site::new();
    let unknown = pair(&site.cookie);
    let response = site.get("/names", &unknown).await;
    assert_eq!((response.status, &*response.body), (StatusCode::OK, ""));
    assert!(response.set_cookies().is_empty(), "a removal would race with a newer cookie");
    assert_eq!(site.calls.take(), Calls { load: 1, ..Calls::default() });
}
