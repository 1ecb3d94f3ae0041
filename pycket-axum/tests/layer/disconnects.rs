//! A client that disconnects before it gets the response.

use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use axum::Router;
use axum::routing::post;
use http::Method;
use pycket_axum::{Session, SessionError};
use pycket_core::{ErrorKind, Event, SessionStore};
use pycket_testkit::{ManualClock, PausingStore};
use tower::ServiceExt;

use crate::site::{Site, manager, request};

/// The same application with a store that pauses before each call.
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
    Paused { router: routes.layer(site.layer(manager)), events }
}

impl Paused {
    /// Sends a request and disconnects after the server polled it this many times.
    async fn disconnect_after(&self, path: &str, cookie: &str, polls: usize) {
        let mut pending =
            Box::pin(self.router.clone().oneshot(request(Method::POST, path, cookie)));
        for _ in 0..polls {
            let polled = pending.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending(), "the response came before the client disconnected");
        }
        drop(pending);
        // All tasks of the request run to their end.
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
async fn disconnect_during_the_commit_does_not_stop_it() {
    let site = Site::new();
    let paused = paused(&site, Router::new().route("/set", post(set)));
    paused.disconnect_after("/set", "", 1).await;
    assert_eq!(site.memory.len(), 1);
    assert_eq!(paused.events(), [Event::Created]);

    let cookie = site.client().await;
    // The first poll stops in the load, the second one in the update.
    paused.disconnect_after("/set", &cookie, 2).await;
    assert_eq!(site.names(&cookie).await, "age,user");
}

#[tokio::test]
async fn disconnect_during_the_handler_drops_the_changes_with_an_event() {
    let site = Site::new();
    let paused = paused(&site, Router::new().route("/set", post(set_and_wait)));
    paused.disconnect_after("/set", "", 1).await;
    assert!(site.memory.is_empty());
    assert_eq!(paused.events(), [Event::ChangesDropped]);

    let cookie = site.client().await;
    paused.disconnect_after("/set", &cookie, 2).await;
    assert_eq!(site.names(&cookie).await, "user");
}

#[tokio::test]
async fn task_of_a_handler_begins_no_session_after_the_client_disconnects() {
    let site = Site::new();
    let tasks = Arc::new(Mutex::new(Vec::new()));
    let begun = tasks.clone();
    let handler = async move |session: Session| {
        begun.lock().unwrap().push((*session).clone());
        std::future::pending::<()>().await
    };
    let paused = paused(&site, Router::new().route("/task", post(handler)));
    paused.disconnect_after("/task", "", 1).await;
    let session = tasks.lock().unwrap().pop().unwrap();
    session.set("late", &1).unwrap();
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::TooLate);
    assert!(site.memory.is_empty(), "no client has the cookie");
}

#[tokio::test]
async fn disconnect_during_the_load_changes_nothing() {
    let site = Site::new();
    let cookie = site.client().await;
    let paused = paused(&site, Router::new().route("/set", post(set)));
    paused.disconnect_after("/set", &cookie, 1).await;
    assert_eq!(site.names(&cookie).await, "user");
    assert_eq!(paused.events(), []);
}

#[tokio::test]
async fn disconnect_after_destroy_still_ends_the_session() {
    let site = Site::new();
    let cookie = site.client().await;
    let paused = paused(&site, Router::new().route("/logout", post(destroy_and_wait)));
    paused.disconnect_after("/logout", &cookie, 2).await;
    assert!(site.memory.is_empty());
    assert_eq!(paused.events(), [Event::Destroyed]);
}
