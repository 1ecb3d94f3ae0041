//! Handlers that respond with an error.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::post;
use pycket_axum::{Session, SessionError};
use pycket_testkit::Calls;

use crate::site::{Plan, Site};

type Failure = Result<(StatusCode, &'static str), SessionError>;

fn plan() -> Plan {
    let set = async |session: Session, Path(status): Path<u16>| -> Failure {
        session.set("age", &30)?;
        Ok((StatusCode::from_u16(status).unwrap(), "the handler's words"))
    };
    let destroy = async |session: Session| -> Failure {
        session.destroy();
        session.set("age", &30)?;
        Ok((StatusCode::INTERNAL_SERVER_ERROR, "the handler's words"))
    };
    let rotate = async |session: Session| -> Failure {
        session.cycle_id();
        Ok((StatusCode::INTERNAL_SERVER_ERROR, "the handler's words"))
    };
    let count = async |session: Session| -> Failure {
        session.update("count", |n: Option<u32>| n.unwrap_or(0) + 1).await?;
        session.set("age", &30)?;
        Ok((StatusCode::INTERNAL_SERVER_ERROR, "the handler's words"))
    };
    Plan::with(
        Router::new()
            .route("/fail/set/{status}", post(set))
            .route("/fail/destroy", post(destroy))
            .route("/fail/rotate", post(rotate))
            .route("/fail/count", post(count)),
    )
}

fn site() -> Site {
    plan().open()
}

#[tokio::test]
async fn server_error_stores_nothing_and_sets_no_cookie() {
    let site = site();
    let cookie = site.client().await;
    for status in [500, 503, 599] {
        let path = format!("/fail/set/{status}");
        for presented in [&*cookie, ""] {
            let response = site.post(&path, presented).await;
            assert_eq!(response.status.as_u16(), status);
            assert_eq!(response.body, "the handler's words");
            assert!(response.set_cookies().is_empty());
            assert_eq!(response.values("vary"), ["cookie"]);
        }
    }
    let calls = site.calls.take();
    assert_eq!(calls, Calls { load: 3, ..Calls::default() });
    assert_eq!(site.names(&cookie).await, "user");
}

#[tokio::test]
async fn client_error_and_redirect_commit_like_a_success() {
    let site = site();
    for status in [200, 303, 400, 404, 499] {
        let response = site.post(&format!("/fail/set/{status}"), "").await;
        assert_eq!(response.status.as_u16(), status);
        assert_eq!(site.names(&response.cookie()).await, "age");
    }
}

#[tokio::test]
async fn destroy_is_committed_in_spite_of_a_server_error() {
    let site = site();
    let cookie = site.client().await;
    let response = site.post("/fail/destroy", &cookie).await;
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.body, "the handler's words");
    assert_eq!(response.cookie(), "PYCKET_ID=", "the cookie is removed");
    assert!(site.memory.is_empty(), "no new session is created");
}

#[tokio::test]
async fn server_error_keeps_the_id() {
    let site = site();
    let cookie = site.client().await;
    let response = site.post("/fail/rotate", &cookie).await;
    assert!(response.set_cookies().is_empty());
    assert_eq!(site.names(&cookie).await, "user");
}

#[tokio::test]
async fn update_before_a_server_error_stays_and_its_cookie_is_set() {
    let site = site();
    let response = site.post("/fail/count", "").await;
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(site.names(&response.cookie()).await, "count");
}

#[tokio::test]
async fn commit_on_server_error_commits_in_spite_of_it() {
    let site = Plan { commit_on_server_error: true, ..plan() }.open();
    let response = site.post("/fail/set/500", "").await;
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
    let cookie = response.cookie();
    assert_eq!(site.names(&cookie).await, "age");

    let rotated = site.post("/fail/rotate", &cookie).await.cookie();
    assert_eq!((&*site.names(&cookie).await, &*site.names(&rotated).await), ("", "age"));

    let response = site.post("/fail/destroy", &rotated).await;
    assert_eq!(site.names(&response.cookie()).await, "age", "a new session with a new id");
    assert_eq!(site.memory.len(), 1);
}
