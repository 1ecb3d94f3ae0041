//! Stores that fail, and the responses to it.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use pycket_axum::{Session, SessionError};
use pycket_core::{Error, ErrorKind, Expiry, Renew, SessionId};
use pycket_testkit::{Calls, Fault};

use crate::site::{KEY, Plan, Response, Site};

/// A 503 whose body and headers reveal nothing.
fn assert_opaque(response: &Response, cookie: &str) {
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.body, "the session store is not available\n");
    assert_eq!(response.values("content-type"), ["text/plain; charset=utf-8"]);
    assert_eq!(response.values("vary"), ["cookie"]);
    let id = &cookie[cookie.len() - SessionId::TEXT_LEN..];
    let all = format!("{:?}{}", response.headers, response.body);
    assert!(!all.contains(id) && !all.contains(KEY) && !all.contains("127.0.0.1"), "{all}");
}

#[tokio::test]
async fn store_that_is_down_is_a_503_only_on_routes_with_the_session() {
    let site = Site::new();
    let cookie = site.client().await;
    site.faults.take_down();
    let response = site.get("/names", &cookie).await;
    assert_opaque(&response, &cookie);
    assert!(response.set_cookies().is_empty());
    assert_eq!(site.get("/untouched", &cookie).await.status, StatusCode::OK);
    assert_eq!(site.get("/names", "").await.status, StatusCode::OK, "no load is needed");

    site.faults.heal();
    assert_eq!(site.names(&cookie).await, "user");
}

#[tokio::test]
async fn failed_commit_is_a_503_and_the_old_cookie_stays_valid() {
    let site = Site::new();
    let cookie = site.client().await;
    for path in ["/set/age", "/login"] {
        site.faults.fail_nth(1, Fault::Before);
        let response = site.post(path, &cookie).await;
        assert_opaque(&response, &cookie);
        assert!(response.set_cookies().is_empty(), "{path}");
        assert_eq!(site.names(&cookie).await, "user", "{path}");
    }
    site.faults.take_down();
    let response = site.post("/set/user", "").await;
    assert_opaque(&response, &cookie);
    assert!(response.set_cookies().is_empty());
    assert_eq!(site.memory.len(), 1);
}

#[tokio::test]
async fn login_that_cannot_delete_the_old_session_is_a_503_and_undone() {
    let site = Site::new();
    let cookie = site.client().await;
    site.faults.fail_nth(2, Fault::Before);
    let response = site.post("/login", &cookie).await;
    assert_opaque(&response, &cookie);
    assert!(response.set_cookies().is_empty());
    assert_eq!(site.names(&cookie).await, "user");
    assert_eq!(site.memory.len(), 1, "the new session was deleted");
}

#[tokio::test]
async fn lost_reply_of_the_store_is_resolved() {
    for fault in [Fault::Lost, Fault::After] {
        let site = Site::new();
        site.faults.fail_nth(0, fault);
        let cookie = site.post("/set/user", "").await.cookie();
        site.faults.fail_nth(1, fault);
        assert_eq!(site.post("/set/age", &cookie).await.status, StatusCode::OK);
        assert_eq!(site.names(&cookie).await, "age,user");
        assert_eq!(site.memory.len(), 1);
    }
}

#[tokio::test]
async fn failed_logout_is_a_503_and_still_removes_the_cookie() {
    let site = Site::new();
    let cookie = site.client().await;
    site.faults.fail_nth(1, Fault::Before);
    let response = site.post("/logout", &cookie).await;
    assert_opaque(&response, &cookie);
    assert_eq!(response.cookie(), "PYCKET_ID=");
    assert_eq!(response.values("cache-control"), ["private"]);
}

#[tokio::test]
async fn server_error_of_the_handler_replaces_the_one_of_the_store() {
    let handler = async |session: Session| {
        session.destroy();
        (StatusCode::BAD_GATEWAY, "the handler's words")
    };
    let site = Plan::with(Router::new().route("/bad", post(handler))).open();
    let cookie = site.client().await;
    site.faults.fail_nth(1, Fault::Before);
    let response = site.post("/bad", &cookie).await;
    assert_eq!(
        (response.status, &*response.body),
        (StatusCode::BAD_GATEWAY, "the handler's words")
    );
    assert_eq!(response.cookie(), "PYCKET_ID=");
}

#[tokio::test]
async fn failed_renewal_does_not_fail_the_request() {
    let expiry = Expiry::builder().renew(Renew::OnAccess).build().unwrap();
    let site = Plan { expiry, ..Plan::default() }.open();
    let cookie = site.client().await;
    site.clock.advance(Expiry::DEFAULT_IDLE / 2);
    site.faults.fail_nth(1, Fault::Before);
    let response = site.get("/names", &cookie).await;
    assert_eq!((response.status, &*response.body), (StatusCode::OK, "user"));
    assert_eq!(site.calls.take(), Calls { load: 1, update: 1, ..Calls::default() });
}

#[tokio::test]
async fn failed_load_is_retried_by_the_next_extractor() {
    let handler = async |first: Result<Session, SessionError>, second: Session| {
        assert_eq!(first.unwrap_err().status(), StatusCode::SERVICE_UNAVAILABLE);
        second.keys().join(",")
    };
    let site = Plan::with(Router::new().route("/again", get(handler))).open();
    let cookie = site.client().await;
    site.faults.fail_nth(0, Fault::Before);
    let response = site.get("/again", &cookie).await;
    assert_eq!((response.status, &*response.body), (StatusCode::OK, "user"));
}

#[test]
fn status_follows_the_error_kind() {
    let status = |kind| SessionError::from(Error::new(kind, "a message")).status().as_u16();
    use ErrorKind::*;
    assert_eq!([Unavailable, Ambiguous, Full, Conflict].map(status), [503; 4]);
    assert_eq!(status(Ended), 409);
    let server_errors = [Corrupt, TooLarge, Rejected, KeyNotFound, Decode, Encode, InvalidName];
    assert_eq!(server_errors.map(status), [500; 7]);
}

#[tokio::test]
async fn response_of_a_session_error_hides_its_message() {
    let handler = async |session: Session| {
        let user = session.require::<String>("user")?;
        Ok::<_, SessionError>(user)
    };
    let site = Plan::with(Router::new().route("/number", get(handler))).open();
    let cookie = site.post("/set/name", "").await.cookie();
    let response = site.get("/number", &cookie).await;
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.body, "the session cannot be used\n");
}
