//! Handlers that go on after the response head has left: streams, server-sent events, WebSockets.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::{get, post};
use http::StatusCode;
use pycket_axum::{Session, SessionError, SessionHandle};
use pycket_core::{Error, ErrorKind, Outcome};

use crate::site::{Plan, Site};

type Kept = Arc<Mutex<Vec<pycket_core::Session>>>;

/// A site whose route `/stream` keeps the session for after the response.
fn site() -> (Site, Kept) {
    let kept = Kept::default();
    let keep = kept.clone();
    let handler = async move |session: Session| {
        keep.lock().unwrap().push((*session).clone());
    };
    (Plan::with(Router::new().route("/stream", post(handler))).open(), kept)
}

fn last(kept: &Kept) -> pycket_core::Session {
    kept.lock().unwrap().pop().unwrap()
}

fn assert_too_late<T: std::fmt::Debug>(result: Result<T, Error>) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLate);
    assert!(error.to_string().contains("response"), "{error}");
}

#[tokio::test]
async fn existing_session_is_read_and_written_after_the_response() {
    let (site, kept) = site();
    let cookie = site.client().await;
    assert!(site.post("/stream", &cookie).await.set_cookies().is_empty());
    let session = last(&kept);
    session.set("late", &1).unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
    session.update("count", |n: Option<u32>| n.unwrap_or(0) + 1).await.unwrap();
    session.notifications().set("info", "saved").unwrap();
    session.commit().await.unwrap();
    assert_eq!(site.names(&cookie).await, "count,late,user");
}

#[tokio::test]
async fn session_of_the_request_is_written_after_the_response() {
    let handler = Kept::default();
    let keep = handler.clone();
    let first = async move |session: Session| {
        session.set("user", "ann")?;
        keep.lock().unwrap().push((*session).clone());
        Ok::<_, SessionError>(())
    };
    let site = Plan::with(Router::new().route("/first", post(first))).open();
    let cookie = site.post("/first", "").await.cookie();
    let session = last(&handler);
    session.set("late", &1).unwrap();
    session.commit().await.unwrap();
    assert_eq!(site.names(&cookie).await, "late,user");
}

#[tokio::test]
async fn new_session_after_the_response_is_an_error_and_leaves_no_record() {
    let (site, kept) = site();
    site.post("/stream", "").await;
    let session = last(&kept);
    session.set("late", &1).unwrap();
    assert_too_late(session.commit().await);
    assert_too_late(session.update("count", |n: Option<u32>| n.unwrap_or(0) + 1).await);
    session.abort().await.unwrap();
    session.notifications().set("info", "saved").unwrap();
    assert_too_late(session.commit().await);
    drop(session);
    assert!(site.memory.is_empty());
}

#[tokio::test]
async fn rotation_after_the_response_is_an_error_and_keeps_the_client_signed_in() {
    for rotate in [pycket_core::Session::cycle_id, pycket_core::Session::restart_timeouts] {
        let (site, kept) = site();
        let cookie = site.client().await;
        site.post("/stream", &cookie).await;
        let session = last(&kept);
        rotate(&session);
        session.set("role", "admin").unwrap();
        assert_too_late(session.commit().await);
        // The values of a rotation that failed are not stored under the old id.
        assert_too_late(session.commit().await);
        assert_eq!(site.names(&cookie).await, "user");
        session.abort().await.unwrap();
        session.set("late", &1).unwrap();
        session.commit().await.unwrap();
        assert_eq!(site.names(&cookie).await, "late,user");
        assert_eq!(site.memory.len(), 1);
    }
}

#[tokio::test]
async fn destroy_after_the_response_ends_the_session() {
    let (site, kept) = site();
    let cookie = site.client().await;
    site.post("/stream", &cookie).await;
    let session = last(&kept);
    session.destroy();
    assert_eq!(session.commit().await.unwrap(), Outcome::Destroyed);
    assert!(site.memory.is_empty());
    session.set("late", &1).unwrap();
    assert_too_late(session.commit().await);
    assert!(site.memory.is_empty());
}

#[tokio::test]
async fn session_that_is_opened_after_the_response_follows_the_same_rules() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = kept.clone();
    let handler = async move |handle: SessionHandle| keep.lock().unwrap().push(handle);
    let site = Plan::with(Router::new().route("/handle", get(handler))).open();
    let cookie = site.client().await;
    for presented in ["", &cookie] {
        site.get("/handle", presented).await;
    }
    let (known, unknown) = {
        let mut kept = kept.lock().unwrap();
        (kept.pop().unwrap(), kept.pop().unwrap())
    };
    let session = unknown.session().await.unwrap();
    session.set("late", &1).unwrap();
    assert_too_late(session.commit().await);
    let session = known.session().await.unwrap();
    session.set("late", &1).unwrap();
    session.commit().await.unwrap();
    assert_eq!(site.names(&cookie).await, "late,user");
    assert_eq!(site.memory.len(), 1);
}

#[tokio::test]
async fn too_late_is_a_500_that_reveals_nothing() {
    let error = SessionError::from(Error::new(ErrorKind::TooLate, "the cause"));
    assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn reload_shows_what_other_requests_stored() {
    let (site, kept) = site();
    let cookie = site.client().await;
    site.post("/stream", &cookie).await;
    let session = last(&kept);
    session.set("own", &1).unwrap();
    site.post("/set/other", &cookie).await;
    assert_eq!(session.keys(), ["own", "user"]);
    session.reload().await.unwrap();
    assert_eq!(session.keys(), ["other", "own", "user"], "changes that are not stored stay");
    session.commit().await.unwrap();
    assert_eq!(site.names(&cookie).await, "other,own,user");

    site.post("/logout", &cookie).await;
    assert_eq!(session.reload().await.unwrap_err().kind(), ErrorKind::Ended);
    assert!(session.is_new() && session.is_empty());
}
