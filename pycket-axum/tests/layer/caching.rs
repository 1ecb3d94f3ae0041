//! A response that sets the session cookie is not stored by a shared cache.

use axum::Router;
use axum::extract::Path;
use axum::routing::post;
use http::header::{CACHE_CONTROL, EXPIRES};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pycket_axum::{Session, SessionError};

use crate::site::{Plan, Response, Site};

const TARGETED: [&str; 6] = [
    "cdn-cache-control",
    "cloudflare-cdn-cache-control",
    "x-litespeed-cache-control",
    "surrogate-control",
    "edge-control",
    "x-accel-expires",
];

/// A site with a route `/page/{write}` whose responses have these headers.
fn site(headers: &[(&'static str, &'static [u8])]) -> Site {
    let mut own = HeaderMap::new();
    for (name, value) in headers {
        own.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
    }
    let handler = async move |session: Session, Path(what): Path<String>| {
        match &*what {
            "write" => session.set("age", &30)?,
            "destroy" => session.destroy(),
            _ => {}
        }
        Ok::<_, SessionError>((own, "page"))
    };
    Plan::with(Router::new().route("/page/{what}", post(handler))).open()
}

async fn first_visit(headers: &[(&'static str, &'static [u8])]) -> Response {
    let response = site(headers).post("/page/write", "").await;
    assert_eq!((response.status, response.set_cookies().len()), (StatusCode::OK, 1));
    response
}

async fn cache_control(own: &'static str) -> String {
    first_visit(&[("cache-control", own.as_bytes())]).await.values("cache-control").join(" | ")
}

#[tokio::test]
async fn new_cookie_makes_the_response_private() {
    assert_eq!(first_visit(&[]).await.values("cache-control"), ["private"]);
    for (own, expected) in [
        ("public", "private"),
        ("PUBLIC", "private"),
        ("public, max-age=3600", "private, max-age=3600"),
        ("max-age=60, s-maxage=3600, public", "private, max-age=60"),
        ("S-MaxAge = 60", "private"),
        ("max-age=60,proxy-revalidate,must-revalidate", "private, max-age=60, must-revalidate"),
        ("no-cache, s-maxage=\"60\"", "private, no-cache"),
        ("private=\"x-user, x-mail\", max-age=60", "private, max-age=60"),
        (
            "no-cache=\"set-cookie, public\", max-age=1",
            "private, no-cache=\"set-cookie, public\", max-age=1",
        ),
        ("max-age=\"1\\\", public\", public", "private, max-age=\"1\\\", public\""),
        // Outside of quotes, a backslash escapes nothing.
        ("x=\\\"a, public, b\", public", "private, x=\\\"a, public, b\""),
        ("", "private"),
        (" , ,", "private"),
        (
            "max-age=60, stale-while-revalidate=30, immutable",
            "private, max-age=60, stale-while-revalidate=30, immutable",
        ),
        ("no-store, must-understand", "private, no-store, must-understand"),
    ] {
        assert_eq!(cache_control(own).await, expected, "{own}");
    }
}

#[tokio::test]
async fn cache_control_that_admits_no_shared_cache_stays() {
    for own in [
        "no-store",
        "private",
        "Private",
        "private, max-age=60",
        "max-age=60, no-store",
        "NO-STORE",
    ] {
        assert_eq!(cache_control(own).await, own);
    }
}

#[tokio::test]
async fn unclosed_quote_hides_no_directive() {
    let sent = cache_control("x=\"a, max-age=60, public").await;
    assert!(sent.starts_with("private, "), "{sent}");
}

#[tokio::test]
async fn several_cache_control_headers_become_one() {
    let own: &[(_, &[u8])] =
        &[("cache-control", b"public"), ("cache-control", b"max-age=60, s-maxage=9")];
    assert_eq!(first_visit(own).await.values("cache-control"), ["private, max-age=60"]);
}

#[tokio::test]
async fn cache_control_that_is_not_text_becomes_private() {
    let response = first_visit(&[("cache-control", b"public, x=\xff")]).await;
    let sent = response.headers.get_all(CACHE_CONTROL).iter().collect::<Vec<_>>();
    assert!(sent.len() == 1 && sent[0].as_bytes().starts_with(b"private"), "{sent:?}");
    assert!(!sent[0].as_bytes().windows(6).any(|bytes| bytes == b"public"), "{sent:?}");
}

#[tokio::test]
async fn headers_for_shared_caches_are_removed() {
    for name in TARGETED {
        let response = first_visit(&[(name, b"max-age=3600"), (name, b"public")]).await;
        assert!(!response.headers.contains_key(name), "{name}");
        assert_eq!(response.values("cache-control"), ["private"], "{name}");
    }
}

#[tokio::test]
async fn expires_of_the_handler_stays_for_the_browser() {
    let response = first_visit(&[("expires", b"Fri, 01 Jan 2100 00:00:00 GMT")]).await;
    assert_eq!(response.values("cache-control"), ["private"]);
    assert!(response.headers.contains_key(EXPIRES));
}

#[tokio::test]
async fn removal_of_the_cookie_is_private_too() {
    let own: &[(_, &[u8])] = &[("cache-control", b"public"), ("surrogate-control", b"max-age=9")];
    let site = site(own);
    let cookie = site.client().await;
    let response = site.post("/page/destroy", &cookie).await;
    assert_eq!(response.cookie(), "PYCKET_ID=");
    assert_eq!(response.values("cache-control"), ["private"]);
    assert!(!response.headers.contains_key("surrogate-control"));
}

#[tokio::test]
async fn response_without_a_new_cookie_keeps_all_headers_for_caches() {
    let mut own: Vec<(&'static str, &'static [u8])> =
        vec![("cache-control", b"public, s-maxage=9")];
    own.extend(TARGETED.map(|name| (name, &b"max-age=3600"[..])));
    let site = site(&own);
    let cookie = site.client().await;
    for cookie in ["", &cookie] {
        let response = site.post("/page/read", cookie).await;
        assert!(response.set_cookies().is_empty());
        assert_eq!(response.values("cache-control"), ["public, s-maxage=9"]);
        assert!(TARGETED.iter().all(|name| response.headers.contains_key(*name)));
    }
}
