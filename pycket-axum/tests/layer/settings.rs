//! The constructor and the builder of the layer, and errors that say what to change.

use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use http::{Method, StatusCode};
use pycket_axum::{
    CookieSettings, ErrorKind, KeyRing, MemoryStore, Session, SessionError, SessionLayer,
    SessionManager, SessionStore,
};

use crate::site::{KEY, request, send};

async fn set(session: Session) -> Result<(), SessionError> {
    Ok(session.set("name", &1)?)
}

fn app(layer: SessionLayer) -> Router {
    Router::new().route("/", post(set)).layer(layer)
}

#[tokio::test]
async fn layer_takes_a_store_a_shared_store_or_a_manager() {
    let memory = Arc::new(MemoryStore::new());
    let shared: Arc<dyn SessionStore> = memory.clone();
    let layers = [
        SessionLayer::new(memory.clone(), KEY).unwrap(),
        SessionLayer::new(shared, KEY.as_bytes()).unwrap(),
        SessionLayer::new(SessionManager::new(memory.clone()), KEY.to_owned().into_bytes())
            .unwrap(),
    ];
    for (stored, layer) in (1..).zip(layers) {
        send(app(layer), request(Method::POST, "/", "")).await.cookie();
        assert_eq!(memory.len(), stored);
    }
}

#[tokio::test]
async fn manager_of_the_layer_opens_the_sessions_of_its_clients() {
    let layer = SessionLayer::new(MemoryStore::new(), KEY).unwrap();
    let cookie = send(app(layer.clone()), request(Method::POST, "/", "")).await.cookie();
    let id = cookie[cookie.len() - pycket_core::SessionId::TEXT_LEN..].parse().unwrap();
    assert_eq!(layer.manager().open(Some(id)).await.unwrap().keys(), ["name"]);
}

#[tokio::test]
async fn secret_and_key_ring_of_it_sign_the_same_cookie() {
    let store = Arc::new(MemoryStore::new());
    let one = SessionLayer::builder(store.clone()).secret(KEY).build().unwrap();
    let ring = KeyRing::builder("another key, thirty-two bytes or more").previous(KEY);
    let two = SessionLayer::builder(store).keys(ring.build().unwrap()).build().unwrap();
    let first = send(app(one), request(Method::POST, "/", "")).await.cookie();
    let second = send(app(two), request(Method::POST, "/", &first)).await.cookie();
    assert_eq!(first[first.len() - 36..], second[second.len() - 36..], "the same id");
}

#[test]
fn missing_secret_names_the_call_that_sets_it() {
    let settings = CookieSettings::hardened();
    let layer = SessionLayer::builder(MemoryStore::new()).cookie(settings).build();
    let error = layer.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSetting);
    assert!(error.to_string().contains("call `secret(…)`"), "{error}");
}

#[test]
fn short_secret_says_how_to_make_a_better_one_and_is_not_shown() {
    let error = SessionLayer::new(MemoryStore::new(), "hunter2").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSetting);
    assert!(error.to_string().contains("`openssl rand -base64 48`"), "{error}");
    let builder = SessionLayer::builder(MemoryStore::new()).secret("hunter2");
    assert!(!format!("{error:?} {builder:?}").contains("hunter2"));
}

#[tokio::test]
async fn missing_layer_is_a_500_that_says_which_line_to_add() {
    let router = Router::new().route("/", post(set));
    let response = send(router, request(Method::POST, "/", "")).await;
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
    let line = "`.layer(SessionLayer::new(store, secret)?)`";
    assert!(response.body.contains(line), "{}", response.body);
}
