//! The client for unit tests of handlers.

#![cfg(feature = "test-client")]
#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use std::sync::Arc;

use axum::extract::Form;
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::header::{COOKIE, LOCATION};
use http::{HeaderMap, Request, StatusCode};
use pycket_axum::{
    CookieSettings, MemoryStore, Notifications, Session, SessionError, SessionLayer, TestClient,
};
use pycket_testkit::{Fault, FaultyStore, PausingStore};

fn routes() -> Router {
    Router::new()
        .route("/cookies", get(cookies))
        .route("/form", post(async |Form(fields): Form<Vec<(String, String)>>| Json(fields)))
        .route("/user", get(async |session: Session| session.user_id().unwrap_or_default()))
        .route("/visit", post(visit))
        .route("/racy-visit", post(racy_visit))
        .route("/save", post(save))
        .route("/sign-out", post(async |session: Session| session.destroy()))
}

async fn cookies(headers: HeaderMap) -> String {
    headers.get(COOKIE).map(|it| it.to_str().unwrap().to_owned()).unwrap_or_default()
}

async fn visit(session: Session) -> Result<String, SessionError> {
    Ok(session.update("visits", |n: Option<u32>| n.unwrap_or(0) + 1).await?.to_string())
}

async fn racy_visit(session: Session) -> Result<(), SessionError> {
    Ok(session.set("visits", &(session.get_or("visits", 0)? + 1))?)
}

async fn save(notifications: Notifications) -> Result<Redirect, SessionError> {
    notifications.set("info", "Saved.")?;
    Ok(Redirect::to("/"))
}

#[tokio::test]
async fn client_keeps_its_cookie_and_another_client_has_its_own() {
    let client = TestClient::new(routes());
    assert_eq!(client.post("/visit", &[]).await.body(), "1");
    assert_eq!(client.post("/visit", &[]).await.body(), "2");
    assert_eq!(client.clone().post("/visit", &[]).await.body(), "3");
    let other = client.other();
    assert_eq!(other.post("/visit", &[]).await.body(), "1");
    assert_ne!(client.cookie("PYCKET_ID"), other.cookie("PYCKET_ID"));
}

#[tokio::test]
async fn signed_in_client_has_its_user_until_it_signs_out() {
    let client = TestClient::new(routes());
    client.log_in(42).await;
    assert_eq!(client.get("/user").await.body(), "42");
    client.post("/sign-out", &[]).await;
    assert_eq!(client.cookie("PYCKET_ID"), None);
    assert_eq!(client.get("/user").await.body(), "");
}

#[tokio::test]
async fn change_prepares_a_session_and_session_shows_what_is_stored() {
    let client = TestClient::new(routes());
    let old = client.change(|session| session.set("visits", &41).map(|()| session.len())).await;
    assert_eq!(old, 1);
    assert_eq!(client.post("/visit", &[]).await.body(), "42");
    assert_eq!(client.session().await.require::<u32>("visits").unwrap(), 42);
    client.change(|session| session.notifications().push("info", "Hello.")).await;
    assert_eq!(client.session().await.notifications().keys(), ["info"]);
}

#[tokio::test]
async fn reading_the_session_stores_nothing_and_sets_no_cookie() {
    let client = TestClient::new(routes());
    assert!(client.session().await.is_new());
    client.change(|_| Ok(())).await;
    assert_eq!(client.get("/cookies").await.body(), "");
}

#[tokio::test]
async fn client_shows_a_redirect_and_does_not_follow_it() {
    let response = TestClient::new(routes()).post("/save", &[]).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers()[LOCATION], "/");
}

#[tokio::test]
async fn fields_of_a_form_arrive_as_they_are() {
    let fields = [("name", "Ann & Söhne"), ("", "a=b%+;"), ("name", "")];
    let response = TestClient::new(routes()).post("/form", &fields).await;
    let arrived: Vec<(String, String)> = serde_json::from_str(response.body()).unwrap();
    assert_eq!(arrived, fields.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn client_sends_the_cookies_of_the_application_beside_its_session() {
    let routes = routes().route("/theme", get(async || [("set-cookie", "theme=dark; Path=/")]));
    let client = TestClient::new(routes);
    client.get("/theme").await;
    client.log_in("ann").await;
    let cookies = client.get("/cookies").await.into_body();
    assert!(cookies.starts_with("PYCKET_ID=") && cookies.ends_with("; theme=dark"), "{cookies}");
}

#[tokio::test]
async fn client_uses_the_settings_of_the_applications_own_layer() {
    let layer =
        SessionLayer::builder(MemoryStore::new()).secret("a secret of thirty-two bytes, or more");
    let sessions = layer.cookie(CookieSettings::hardened()).build().unwrap();
    let client = TestClient::with_layer(routes().layer(sessions.clone()), &sessions);
    client.log_in("ann").await;
    assert_eq!(client.get("/user").await.body(), "ann");
    assert!(client.cookie("__Host-id").is_some());
}

#[tokio::test]
async fn client_uses_the_header_of_a_layer_without_a_cookie() {
    let layer =
        SessionLayer::builder(MemoryStore::new()).secret("a secret of thirty-two bytes, or more");
    let sessions = layer.header("Session-Id").without_cookie().build().unwrap();
    let client = TestClient::with_layer(routes().layer(sessions.clone()), &sessions);
    client.log_in("ann").await;
    assert_eq!(client.get("/user").await.body(), "ann");
    assert_eq!(client.post("/visit", &[]).await.body(), "1");
    assert_eq!(client.post("/visit", &[]).await.body(), "2");
    assert_eq!(client.get("/cookies").await.body(), "");
    client.post("/sign-out", &[]).await;
    assert_eq!(client.get("/user").await.body(), "");
}

#[tokio::test]
async fn two_tabs_show_a_handler_that_loses_changes() {
    let store = PausingStore::new(Arc::new(MemoryStore::new()));
    let sessions = SessionLayer::new(store, "a secret of thirty-two bytes, or more").unwrap();
    let app = routes().layer(sessions.clone());
    for (path, visits) in [("/racy-visit", 1), ("/visit", 2)] {
        let client = TestClient::with_layer(app.clone(), &sessions);
        client.log_in("ann").await;
        tokio::join!(client.post(path, &[]), client.post(path, &[]));
        assert_eq!(client.session().await.require::<u32>("visits").unwrap(), visits, "{path}");
    }
}

#[tokio::test]
#[should_panic(expected = "the test client cannot store the session: ")]
async fn test_fails_with_the_reason_if_the_store_fails() {
    let store = FaultyStore::new(Arc::new(MemoryStore::new()));
    store.fail_nth(0, Fault::Before);
    let sessions = SessionLayer::new(store, "a secret of thirty-two bytes, or more").unwrap();
    TestClient::with_layer(routes().layer(sessions.clone()), &sessions).log_in("ann").await;
}

#[tokio::test]
async fn client_sends_any_request_with_its_cookies() {
    let client = TestClient::new(routes());
    client.log_in("ann").await;
    let request = Request::builder().method("GET").uri("/user").body(axum::body::Body::empty());
    assert_eq!(client.send(request.unwrap()).await.body(), "ann");
}
