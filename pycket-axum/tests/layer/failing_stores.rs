use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use pycket_axum::{Session, SessionError};
use pycket_core::{Error, ErrorKind, Expiry, Renew, SessionId};
use pycket_testkit::{Calls, Fault};

use crate::site::{Answer, KEY, Plan, Site, answer, request};

/// A 503 that tells a stranger nothing.
fn assert_opaque(answer: &Answer, cookie: &str) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.body, "the session store is not available\n");
    assert_eq!(answer.values("content-type"), ["text/plain; charset=utf-8"]);
    assert_eq!(answer.values("vary"), ["cookie"]);
    let id = &cookie[cookie.len() - SessionId::TEXT_LEN..];
    let all = format!("{:?}{}", answer.headers, answer.body);
    assert!(!all.contains(id) && !all.contains(KEY) && !all.contains("127.0.0.1"), "{all}");
}

#[tokio::test]
async fn a_store_that_is_down_at_load_is_a_503_and_routes_without_a_session_are_served() {
    let site = Site::new();
    let cookie = site.visitor().await;
    site.faults.take_down();
    let answer = site.get("/names", &cookie).await;
    assert_opaque(&answer, &cookie);
    assert!(answer.set_cookies().is_empty());
    assert_eq!(site.get("/untouched", &cookie).await.status, StatusCode::OK);
    assert_eq!(site.get("/names", "").await.status, StatusCode::OK, "nothing is to be loaded");

    site.faults.heal();
    assert_eq!(site.names(&cookie).await, "user");
}

#[tokio::test]
async fn a_store_that_fails_at_commit_is_a_503_without_a_cookie_and_the_old_one_works_on() {
    let site = Site::new();
    let cookie = site.visitor().await;
    for path in ["/set/age", "/login"] {
        site.faults.fail_nth(1, Fault::Before);
        let answer = site.post(path, &cookie).await;
        assert_opaque(&answer, &cookie);
        assert!(answer.set_cookies().is_empty(), "{path}");
        assert_eq!(site.names(&cookie).await, "user", "{path}");
    }
    site.faults.take_down();
    let answer = site.post("/set/user", "").await;
    assert_opaque(&answer, &cookie);
    assert!(answer.set_cookies().is_empty());
    assert_eq!(site.memory.len(), 1);
}

#[tokio::test]
async fn a_login_whose_old_session_cannot_be_removed_is_a_503_and_the_old_cookie_works_on() {
    let site = Site::new();
    let cookie = site.visitor().await;
    site.faults.fail_nth(2, Fault::Before);
    let answer = site.post("/login", &cookie).await;
    assert_opaque(&answer, &cookie);
    assert!(answer.set_cookies().is_empty());
    assert_eq!(site.names(&cookie).await, "user");
    assert_eq!(site.memory.len(), 1, "the new session was taken back");
}

#[tokio::test]
async fn an_answer_of_the_store_that_is_lost_is_asked_for_again() {
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
async fn a_logout_that_the_store_fails_is_a_503_and_removes_the_cookie_all_the_same() {
    let site = Site::new();
    let cookie = site.visitor().await;
    site.faults.fail_nth(1, Fault::Before);
    let answer = site.post("/logout", &cookie).await;
    assert_opaque(&answer, &cookie);
    assert_eq!(answer.cookie(), "PYCKET_ID=");
    assert_eq!(answer.values("cache-control"), ["no-cache=\"set-cookie\""]);
}

#[tokio::test]
async fn a_handlers_own_server_error_says_more_than_the_stores() {
    let handler = async |session: Session| {
        session.destroy();
        (StatusCode::BAD_GATEWAY, "the handler's words")
    };
    let site = Plan::with(Router::new().route("/bad", post(handler))).open();
    let cookie = site.visitor().await;
    site.faults.fail_nth(1, Fault::Before);
    let answer = site.post("/bad", &cookie).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::BAD_GATEWAY, "the handler's words"));
    assert_eq!(answer.cookie(), "PYCKET_ID=");
}

#[tokio::test]
async fn a_renewal_that_fails_does_not_fail_the_reader() {
    let expiry = Expiry::builder().renew(Renew::OnAccess).build().unwrap();
    let site = Plan { expiry, ..Plan::default() }.open();
    let cookie = site.visitor().await;
    site.clock.advance(Expiry::DEFAULT_IDLE / 2);
    site.faults.fail_nth(1, Fault::Before);
    let answer = site.get("/names", &cookie).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "user"));
    assert_eq!(site.calls.take(), Calls { load: 1, update: 1, ..Calls::default() });
}

#[tokio::test]
async fn a_load_that_failed_is_tried_again_by_the_next_extractor() {
    let handler = async |first: Result<Session, SessionError>, second: Session| {
        assert_eq!(first.unwrap_err().status(), StatusCode::SERVICE_UNAVAILABLE);
        second.keys().join(",")
    };
    let site = Plan::with(Router::new().route("/again", get(handler))).open();
    let cookie = site.visitor().await;
    site.faults.fail_nth(0, Fault::Before);
    let answer = site.get("/again", &cookie).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "user"));
}

#[tokio::test]
async fn a_missing_layer_is_a_500_that_names_the_layer() {
    let router =
        Router::new().route("/names", get(async |session: Session| session.keys().join("")));
    let answer = answer(router, request(http::Method::GET, "/names", "")).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.body.contains("pycket_axum::SessionLayer"), "{}", answer.body);
}

#[test]
fn the_status_says_whether_it_is_worth_trying_again() {
    let status = |kind| SessionError::from(Error::new(kind, "a message")).status().as_u16();
    use ErrorKind::*;
    assert_eq!([Unavailable, Ambiguous, Full, Conflict].map(status), [503; 4]);
    assert_eq!(status(Ended), 409);
    let faults_of_the_site =
        [Corrupt, TooLarge, Rejected, KeyNotFound, Decode, Encode, InvalidName];
    assert_eq!(faults_of_the_site.map(status), [500; 7]);
}

#[tokio::test]
async fn an_error_in_the_answer_of_a_handler_shows_nothing_of_itself() {
    let handler = async |session: Session| {
        let user = session.require::<String>("user")?;
        Ok::<_, SessionError>(user)
    };
    let site = Plan::with(Router::new().route("/number", get(handler))).open();
    let visitor = site.post("/set/name", "").await.cookie();
    let answer = site.get("/number", &visitor).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.body, "the session cannot be used\n");
}
