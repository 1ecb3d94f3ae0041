//! What clients present as a cookie.

use axum::body::Body;
use http::header::{COOKIE, HeaderValue};
use http::{Request, StatusCode};
use pycket_cookie::{CookieSettings, KeyRing, SessionCookie};
use pycket_core::SessionId;
use pycket_testkit::Calls;

use crate::site::{KEY, Site};

const NOT_A_SECOND: std::time::Duration = std::time::Duration::ZERO;

fn pair(cookie: &SessionCookie) -> String {
    let issued = cookie.issue(&SessionId::generate(), NOT_A_SECOND);
    issued.split(';').next().unwrap().to_owned()
}

fn post_set(cookies: &[&[u8]]) -> Request<Body> {
    let mut request = Request::post("/set/age").body(Body::empty()).unwrap();
    for cookie in cookies {
        request.headers_mut().append(COOKIE, HeaderValue::from_bytes(cookie).unwrap());
    }
    request
}

/// Cookies that none of our keys signed, made from one that they did.
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
        ("our key, for a cookie of another name", format!("{name}={other_value}").into()),
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
async fn what_no_key_of_ours_signed_never_reaches_the_store_and_is_a_visitor_without_a_cookie() {
    let site = Site::new();
    let good = site.visitor().await;
    for (what, forgery) in forgeries(&good) {
        let mut reading = post_set(&[&forgery]);
        *reading.method_mut() = http::Method::GET;
        *reading.uri_mut() = "/names".parse().unwrap();
        let answer = site.send(reading).await;
        assert_eq!((answer.status, &*answer.body), (StatusCode::OK, ""), "{what}");
        assert!(answer.set_cookies().is_empty(), "{what}");
        assert_eq!(site.calls.take(), Calls::default(), "{what}");

        let answer = site.send(post_set(&[&forgery])).await;
        assert_eq!(site.calls.take(), Calls { create: 1, ..Calls::default() }, "{what}");
        assert_eq!(site.names(&answer.cookie()).await, "age", "{what}");
        site.calls.take();
    }
    assert_eq!(site.names(&good).await, "user", "and the session that was aimed at is as it was");
}

#[tokio::test]
async fn garbage_before_or_after_the_good_cookie_does_no_harm() {
    let site = Site::new();
    let good = site.visitor().await;
    let good = good.as_bytes();
    let garbage = b"PYCKET_ID=garbage";
    let same_header = [&garbage[..], b"; theme=dark; ", good, b"; PYCKET_ID=more"].concat();
    let not_ascii = b"note=\xf0\x9f\x8d\xaa";
    for cookies in [
        &[&same_header[..]][..],
        &[garbage, good],
        &[good, garbage],
        &[not_ascii, good],
        &[&[not_ascii, &b";"[..], good].concat()],
    ] {
        let answer = site.send(post_set(cookies)).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.set_cookies().is_empty(), "the session is the one of the good cookie");
        assert_eq!(site.calls.take().load, 1);
    }
    assert_eq!(site.memory.len(), 1);
}

#[tokio::test]
async fn an_authentic_id_that_no_store_knows_is_replaced_when_it_is_first_written() {
    let site = Site::new();
    let dead = pair(&site.cookie);
    let answer = site.post("/set/user", &dead).await;
    let cookie = answer.cookie();
    assert_ne!(cookie, dead);
    assert_eq!(site.names(&cookie).await, "user");
    assert_eq!(site.names(&dead).await, "", "the dead id was not adopted");
}

#[tokio::test]
async fn an_authentic_id_that_no_store_knows_is_not_removed_when_it_only_reads() {
    let site = Site::new();
    let dead = pair(&site.cookie);
    let answer = site.get("/names", &dead).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::OK, ""));
    assert!(answer.set_cookies().is_empty(), "it would race with a newer cookie");
    assert_eq!(site.calls.take(), Calls { load: 1, ..Calls::default() });
}
