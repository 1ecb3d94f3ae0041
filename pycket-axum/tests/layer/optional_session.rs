//! `Option<Session>` for pages that signed-in and anonymous clients share.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use http::{Method, StatusCode};
use pycket_axum::{Session, SessionError};
use pycket_testkit::{Calls, Fault};

use crate::site::{Plan, Site, request, send};

async fn greet(session: Option<Session>) -> String {
    session.map_or("anonymous".to_owned(), |session| session.keys().join(","))
}

fn site() -> Site {
    let early = from_fn(async |session: Session, request: Request, next: Next| {
        match request.uri().query() {
            Some("set") => session.set("token", &1).unwrap(),
            Some("destroy") => session.destroy(),
            _ => {}
        }
        next.run(request).await
    });
    let early = Router::new().route("/early", get(greet)).layer(early);
    Plan::with(Router::new().route("/", get(greet)).merge(early)).open()
}

#[tokio::test]
async fn client_without_a_session_has_none_and_costs_no_store_call() {
    let site = site();
    let response = site.get("/", "").await;
    assert_eq!(response.body, "anonymous");
    assert_eq!(response.values("vary"), ["cookie"]);
    assert!(response.set_cookies().is_empty());
    assert_eq!(site.get("/", "PYCKET_ID=forged").await.body, "anonymous");
    assert_eq!(site.calls.take(), Calls::default());
}

#[tokio::test]
async fn client_with_a_live_session_has_some() {
    let site = site();
    let cookie = site.client().await;
    assert_eq!(site.get("/", &cookie).await.body, "user");
    assert_eq!(site.calls.take(), Calls { load: 1, ..Calls::default() });
}

#[tokio::test]
async fn client_whose_session_has_ended_has_none() {
    let site = site();
    let cookie = site.client().await;
    site.post("/logout", &cookie).await;
    assert_eq!(site.get("/", &cookie).await.body, "anonymous");
}

#[tokio::test]
async fn session_that_this_request_began_is_some_and_one_it_ended_is_none() {
    let site = site();
    let begun = site.get("/early?set", "").await;
    assert_eq!(begun.body, "token");
    let cookie = begun.cookie();
    assert_eq!(site.get("/early?destroy", &cookie).await.body, "anonymous");
    assert!(site.memory.is_empty());
}

#[tokio::test]
async fn store_that_is_down_is_no_anonymous_client() {
    let site = site();
    let cookie = site.client().await;
    site.faults.fail_nth(0, Fault::Before);
    assert_eq!(site.get("/", &cookie).await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn missing_layer_is_no_anonymous_client() {
    let router = Router::new().route("/", get(greet));
    let response = send(router, request(Method::GET, "/", "")).await;
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.body.trim_end(), SessionError::MissingLayer.to_string());
}
