//! From where ids are taken, and what they are worth without the key.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, StatusCode};
use pycket_axum::{Session, SessionLayer};
use pycket_cookie::{CookieSettings, KeyRing, SessionCookie};
use pycket_core::{Event, MemoryStore, SessionId, SessionManager};
use pycket_testkit::Calls;

use crate::site::{KEY, Site, answer};

#[tokio::test]
async fn an_id_is_read_from_the_cookie_and_from_nowhere_else() {
    let site = Site::new();
    let good = site.visitor().await;
    let (name, value) = good.split_once('=').unwrap();
    let encoded = value.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let requests = [
        Request::get(format!("/names?{name}={encoded}")),
        Request::get(format!("/names;{name}={encoded}")),
        Request::get("/names").header("authorization", format!("Bearer {value}")),
        Request::get("/names").header(name, value),
        Request::get("/names").header("x-session-id", value),
        Request::get("/names").header("set-cookie", &good),
        Request::get("/names").header("cookie", format!("other={value}")),
        Request::get("/names").header("cookie", format!("other=\"; {name}\"={value}")),
    ];
    for request in requests {
        let answer = site.send(request.body(Body::empty()).unwrap()).await;
        assert!(answer.body.is_empty(), "{}", answer.body);
        assert!(matches!(answer.status, StatusCode::OK | StatusCode::NOT_FOUND));
    }
    let form = Request::get("/names").header("content-type", "application/x-www-form-urlencoded");
    let answer = site.send(form.body(Body::from(format!("{name}={encoded}"))).unwrap()).await;
    assert!(answer.body.is_empty(), "{}", answer.body);
    assert_eq!(site.calls.take(), Calls::default());
    assert_eq!(site.names(&good).await, "user");
}

#[tokio::test]
async fn an_id_from_a_dump_of_the_store_is_no_cookie_without_the_key() {
    let site = Site::new();
    let cookie = site.visitor().await;
    let (signature, id) = cookie.split_at(cookie.len() - SessionId::TEXT_LEN);
    let other_keys = KeyRing::new("what the thief of the dump has instead of the key").unwrap();
    let forger = SessionCookie::new(CookieSettings::default(), &other_keys);
    let forged = forger.issue(&SessionId::parse(id).unwrap(), std::time::Duration::ZERO);
    let empty_signature = "A".repeat(signature.len() - "PYCKET_ID=".len());
    for attempt in [
        format!("PYCKET_ID={id}"),
        format!("PYCKET_ID=pycket:sessions:{id}"),
        format!("PYCKET_ID={empty_signature}{id}"),
        forged.split(';').next().unwrap().to_owned(),
    ] {
        assert_eq!(site.names(&attempt).await, "", "{attempt}");
    }
    assert_eq!(site.calls.take(), Calls::default(), "and none was even looked up");
}

#[tokio::test]
async fn forged_cookies_and_dead_ids_can_be_counted() {
    let rejected = Arc::new(AtomicUsize::new(0));
    let counter = rejected.clone();
    let manager = SessionManager::new(Arc::new(MemoryStore::new())).on_event(move |event| {
        counter.fetch_add(usize::from(event == Event::Rejected), Ordering::Relaxed);
    });
    let cookie = SessionCookie::new(CookieSettings::default(), &KeyRing::new(KEY).unwrap());
    let dead = cookie.issue(&SessionId::generate(), std::time::Duration::ZERO);
    let dead = dead.split(';').next().unwrap().to_owned();
    let router = Router::new()
        .route("/", get(async |session: Session| session.keys().join(",")))
        .layer(SessionLayer::new(manager, cookie));
    for (presented, count) in [("PYCKET_ID=forged", 1), (&dead, 2), ("theme=dark", 2)] {
        let request = Request::get("/").header("cookie", presented).body(Body::empty()).unwrap();
        answer(router.clone(), request).await;
        assert_eq!(rejected.load(Ordering::Relaxed), count, "{presented}");
    }
}
