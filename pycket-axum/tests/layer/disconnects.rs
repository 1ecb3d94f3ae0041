//! A client that does not wait for its answer.

use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use axum::Router;
use axum::routing::post;
use http::Method;
use pycket_axum::{Session, SessionError, SessionLayer};
use pycket_core::{Event, SessionStore};
use pycket_testkit::{ManualClock, PausingStore};
use tower::ServiceExt;

use crate::site::{Site, manager, request};

/// The site again, with a store that pauses before each call.
struct Paused {
    router: Router,
    events: Arc<Mutex<Vec<Event>>>,
}

fn paused(site: &Site, routes: Router) -> Paused {
    let store: Arc<dyn SessionStore> = Arc::new(PausingStore::new(site.memory.clone()));
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = events.clone();
    let manager =
        manager(store, &ManualClock::new()).on_event(move |event| seen.lock().unwrap().push(event));
    Paused { router: routes.layer(SessionLayer::new(manager, site.cookie.clone())), events }
}

impl Paused {
    /// Asks, and is gone when the answer is not there after that many steps of the server.
    async fn ask_and_leave(&self, path: &str, cookie: &str, polls: usize) {
        let mut asked = Box::pin(self.router.clone().oneshot(request(Method::POST, path, cookie)));
        for _ in 0..polls {
            let polled = asked.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending(), "it was answered before the client left");
        }
        drop(asked);
        // Everything that was started on behalf of the request ends.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }
}

async fn set(session: Session) -> Result<(), SessionError> {
    Ok(session.set("age", &30)?)
}

async fn set_and_wait(session: Session) -> Result<(), SessionError> {
    session.set("age", &30)?;
    std::future::pending().await
}

async fn destroy_and_wait(session: Session) {
    session.destroy();
    std::future::pending().await
}

#[tokio::test]
async fn a_client_that_leaves_during_the_commit_does_not_stop_it() {
    let site = Site::new();
    let paused = paused(&site, Router::new().route("/set", post(set)));
    paused.ask_and_leave("/set", "", 1).await;
    assert_eq!(site.memory.len(), 1);
    assert_eq!(paused.events(), [Event::Created]);

    let cookie = site.visitor().await;
    // The load, then the update.
    paused.ask_and_leave("/set", &cookie, 2).await;
    assert_eq!(site.names(&cookie).await, "age,user");
}

#[tokio::test]
async fn a_client_that_leaves_during_the_handler_stores_nothing_and_the_changes_are_told_of() {
    let site = Site::new();
    let paused = paused(&site, Router::new().route("/set", post(set_and_wait)));
    paused.ask_and_leave("/set", "", 1).await;
    assert!(site.memory.is_empty());
    assert_eq!(paused.events(), [Event::ChangesDropped]);

    let cookie = site.visitor().await;
    paused.ask_and_leave("/set", &cookie, 2).await;
    assert_eq!(site.names(&cookie).await, "user");
}

#[tokio::test]
async fn a_client_that_leaves_during_the_load_leaves_nothing_behind() {
    let site = Site::new();
    let cookie = site.visitor().await;
    let paused = paused(&site, Router::new().route("/set", post(set)));
    paused.ask_and_leave("/set", &cookie, 1).await;
    assert_eq!(site.names(&cookie).await, "user");
    assert_eq!(paused.events(), []);
}

#[tokio::test]
async fn a_client_that_leaves_after_asking_for_the_end_of_the_session_gets_it() {
    let site = Site::new();
    let cookie = site.visitor().await;
    let paused = paused(&site, Router::new().route("/logout", post(destroy_and_wait)));
    paused.ask_and_leave("/logout", &cookie, 2).await;
    assert!(site.memory.is_empty());
    assert_eq!(paused.events(), [Event::Destroyed]);
}
