//! Logs and debug output contain no secrets.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

use axum::Router;
use axum::routing::post;
use http::Method;
use pycket_axum::{Session, SessionError, SessionHandle};
use pycket_core::SessionId;
use pycket_testkit::Fault;
use tower::{Layer, ServiceExt};
use tracing_subscriber::filter::LevelFilter;

use crate::site::{KEY, Plan, Site, request};

thread_local! {
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes the log of a thread to a buffer of that thread, so that each test reads its own.
struct ThreadLog;

impl io::Write for ThreadLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts to record everything that this thread logs, at all levels.
fn record_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let all = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_ansi(false);
        all.with_writer(|| ThreadLog).init();
    });
    LOG.take();
}

fn log() -> String {
    String::from_utf8(LOG.take()).unwrap()
}

fn assert_hides(text: &str, cookies: &[&str]) {
    for cookie in cookies {
        let value = cookie.trim_start_matches("PYCKET_ID=");
        let (signature, id) = value.split_at(value.len() - SessionId::TEXT_LEN);
        for secret in [cookie, value, signature, id, KEY] {
            assert!(!text.contains(secret), "{secret} is in: {text}");
        }
    }
}

#[tokio::test]
async fn logs_contain_no_id_cookie_or_key() {
    record_log();
    let site = Site::new();
    let first = site.client().await;
    let second = site.post("/login", &first).await.cookie();
    let forged = format!("{}{}", &second[..second.len() - 36], SessionId::generate().expose());
    site.get("/names", &forged).await;
    site.get("/names", &first).await;
    site.faults.fail_nth(0, Fault::Before);
    site.get("/names", &second).await;
    site.faults.fail_nth(1, Fault::Before);
    site.post("/set/age", &second).await;
    site.faults.fail_nth(1, Fault::Before);
    site.post("/logout", &second).await;
    site.post("/logout", &second).await;
    let log = log();
    for expected in
        ["Created", "Rotated", "Rejected", "Destroyed", "Unavailable", "the store is down"]
    {
        assert!(log.contains(expected), "{expected} is missing: {log}");
    }
    assert_hides(&log, &[&first, &second, &forged]);
}

#[tokio::test]
async fn forged_cookie_is_logged_and_an_absent_one_is_not() {
    record_log();
    let site = Site::new();
    site.get("/names", "").await;
    assert_eq!(log(), "");
    site.get("/names", "PYCKET_ID=forged").await;
    let log = log();
    assert!(log.contains("Rejected") && !log.contains("forged"), "{log}");
}

#[tokio::test]
async fn changes_after_the_last_commit_log_a_warning() {
    record_log();
    let (keep, mut kept) = tokio::sync::mpsc::unbounded_channel();
    let handler = async move |session: Session| keep.send(session).unwrap();
    let site = Plan::with(Router::new().route("/keep", post(handler))).open();
    let cookie = site.client().await;
    site.post("/keep", &cookie).await;
    let session = kept.recv().await.unwrap();
    assert!(!log().contains("WARN"), "nothing is lost yet");
    session.set("late", &1).unwrap();
    drop(session);
    let log = log();
    assert!(log.contains("WARN") && log.contains("dropped"), "{log}");
    assert_hides(&log, &[&cookie]);
    assert_eq!(site.names(&cookie).await, "user");
}

#[tokio::test]
async fn debug_output_contains_no_id_cookie_or_key() {
    let handler = async |session: Session, request: axum::extract::Request| {
        session.set("age", &30)?;
        let handle = request.extensions().get::<SessionHandle>();
        Ok::<_, SessionError>(format!("{session:?} {handle:?} {:?}", session.id()))
    };
    let site = Plan::with(Router::new().route("/show", post(handler))).open();
    let cookie = site.client().await;
    let shown = site.post("/show", &cookie).await.body;
    assert!(shown.contains("SessionHandle") && shown.contains("Session("), "{shown}");
    assert_hides(&shown, &[&cookie]);

    let manager = pycket_core::SessionManager::new(site.calls.clone());
    let layer = site.layer(manager);
    let service =
        layer.layer(tower::service_fn(|request: http::Request<axum::body::Body>| async move {
            let session = request.extensions().get::<SessionHandle>().unwrap().session().await;
            session.map(|_| http::Response::new(String::new()))
        }));
    let layers = format!("{layer:?} {service:?}");
    assert!(layers.contains("SessionLayer"), "{layers}");
    assert_hides(&layers, &[&cookie]);

    let mut service = service.clone();
    let ready = service.ready().await.unwrap();
    let future = tower::Service::call(ready, request(Method::GET, "/", &cookie));
    let text = format!("{future:?}");
    assert!(text.starts_with("SessionFuture"), "{text}");
    assert_hides(&text, &[&cookie]);
}

#[tokio::test]
async fn logout_that_fails_with_its_service_is_logged() {
    record_log();
    let site = Site::new();
    let cookie = site.client().await;
    let manager = pycket_core::SessionManager::new(site.calls.clone());
    let layer = site.layer(manager);
    let service =
        layer.layer(tower::service_fn(|request: http::Request<axum::body::Body>| async move {
            let handle = request.extensions().get::<SessionHandle>().unwrap();
            handle.session().await.unwrap().destroy();
            Err::<http::Response<String>, _>("the service's own error")
        }));
    site.faults.fail_nth(1, Fault::Before);
    let error = service.oneshot(request(Method::GET, "/", &cookie)).await.unwrap_err();
    assert_eq!(error, "the service's own error");
    let log = log();
    assert!(log.contains("ERROR") && log.contains("the store is down"), "{log}");
    assert_hides(&log, &[&cookie]);
}
