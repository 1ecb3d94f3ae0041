//! Where the layer reads ids, and why an id is useless without the key.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, StatusCode};
use pycket_axum::{Session, SessionLayer};
use pycket_cookie::{CookieSettings, KeyRing, SessionCookie};
use pycket_core::{Event, MemoryStore, SessionId, SessionManager};
use pycket_testkit::Calls;

use crate::site::{KEY, Site, send};

#[tokio::test]
async fn id_is_read_only_from_the_cookie() {
    let site = Site::new();
    let good = site.client().await;
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
        let response = site.send(request.body(Body::empty()).unwrap()).await;
        assert!(response.body.is_empty(), "{}", response.body);
        assert!(matches!(response.status, StatusCode::OK | StatusCode::NOT_FOUND));
    }
    let form = Request::get("/names").header("content-type", "application/x-www-form-urlencoded");
    let response = site.send(form.body(Body::from(format!("{name}={encoded}"))).unwrap()).await;
    assert!(response.body.is_empty(), "{}", response.body);
    assert_eq!(site.calls.take(), Calls::default());
    assert_eq!(site.names(&good).await, "user");
}

#[tokio::test]
async fn stored_id_is_no_valid_cookie_without_the_key() {
    let site = Site::new();
    let cookie = site.client().await;
    let (signature, id) = cookie.split_at(cookie.len() - SessionId::TEXT_LEN);
    let other_keys = KeyRing::new("a key of the attacker, thirty-two bytes or more").unwrap();
    let forger = SessionCookie::new(CookieSettings::default(), &other_keys);
    let forged = forger.issue(&id.parse::<SessionId>().unwrap(), std::time::Duration::ZERO);
    let empty_signature = "A".repeat(signature.len() - "PYCKET_ID=".len());
    for attempt in [
        format!("PYCKET_ID={id}"),
        format!("PYCKET_ID=pycket:sessions:{id}"),
        format!("PYCKET_ID={empty_signature}{id}"),
        forged.split(';').next().unwrap().to_owned(),
    ] {
        assert_eq!(site.names(&attempt).await, "", "{attempt}");
    }
    assert_eq!(site.calls.take(), Calls::default(), "no attempt reaches the store");
}

#[tokio::test]
async fn forged_cookie_and_unknown_id_are_different_events() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = events.clone();
    let manager = SessionManager::new(MemoryStore::new())
        .on_event(move |event| seen.lock().unwrap().push(event));
    let cookie = SessionCookie::new(CookieSettings::default(), &KeyRing::new(KEY).unwrap());
    let ended = cookie.issue(&SessionId::generate(), std::time::Duration::ZERO);
    let ended = ended.split(';').next().unwrap().to_owned();
    let router = Router::new()
        .route("/", get(async |session: Session| session.keys().join(",")))
        .layer(SessionLayer::new(manager, KEY).unwrap());
    for (presented, expected) in [
        ("PYCKET_ID=forged", vec![Event::CookieRejected]),
        (&ended, vec![Event::SessionNotFound]),
        ("theme=dark", vec![]),
    ] {
        let request = Request::get("/").header("cookie", presented).body(Body::empty()).unwrap();
        send(router.clone(), request).await;
        assert_eq!(*events.lock().unwrap(), expected, "{presented}");
        events.lock().unwrap().clear();
    }
}
