//! The first program of the README.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use axum::Router;
use axum::body::{Body, to_bytes};
use http::Request;
use http::header::{COOKIE, SET_COOKIE};
use pycket_axum::{MemoryStore, SessionLayer};
use tower::ServiceExt;

/// The program, and its route without a fixed port.
mod program {
    #![expect(dead_code, reason = "the tests do not call `main`")]
    include!("program.rs");

    pub(super) fn routes() -> Router {
        Router::new().route("/", get(home))
    }
}

#[test]
fn program_is_in_both_readmes_and_has_at_most_15_lines() {
    let program = include_str!("program.rs");
    for readme in [include_str!("../../../README.md"), include_str!("../../README.md")] {
        assert!(readme.contains(program), "copy program.rs into both READMEs");
    }
    assert!(program.lines().filter(|line| !line.is_empty()).count() <= 15);
}

#[tokio::test]
async fn program_counts_each_client_and_shows_each_notification_once() {
    let sessions = SessionLayer::new(MemoryStore::new(), "a secret of at least thirty-two bytes");
    let app = program::routes().layer(sessions.unwrap());
    let (ann, body) = visit(&app, None).await;
    assert_eq!(body, "Hello! This is visit 1.");
    assert_eq!(visit(&app, ann.clone()).await.1, "Welcome back! This is visit 2.");
    assert_eq!(visit(&app, None).await.1, "Hello! This is visit 1.", "another client");
    assert_eq!(visit(&app, ann).await.1, "Welcome back! This is visit 3.");
}

/// The cookie that the response sets, and the body.
async fn visit(app: &Router, cookie: Option<String>) -> (Option<String>, String) {
    let mut request = Request::builder().uri("/");
    if let Some(cookie) = cookie {
        request = request.header(COOKIE, cookie);
    }
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let cookie = response.headers().get(SET_COOKIE).map(|it| it.to_str().unwrap().to_owned());
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (cookie, String::from_utf8(body.to_vec()).unwrap())
}
