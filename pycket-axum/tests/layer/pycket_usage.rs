//! The uses of pycket that its documentation shows.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use http::Method;
use pycket_axum::{Notifications, Session, SessionError, SessionLayer};
use pycket_cookie::{Presented, SignedId};
use pycket_core::{MemoryStore, SessionId, SessionManager};
use pycket_testkit::{Calls, CountingStore};

use crate::site::{KEY, Plan, Site, request, send};

/// pycket gives a request without a cookie a new id at every operation.
#[tokio::test]
async fn first_request_reads_its_own_values_and_keeps_them_all() {
    let handler = async |session: Session| {
        session.set("foo", &["bar", "baz"])?;
        session.set("other", &1)?;
        Ok::<_, SessionError>(session.require::<Vec<String>>("foo")?.join(" "))
    };
    let site = Plan::with(Router::new().route("/first", get(handler))).open();
    let first = site.get("/first", "").await;
    assert_eq!(first.body, "bar baz");
    assert_eq!(site.names(&first.cookie()).await, "foo,other");
    assert_eq!(site.memory.len(), 1);
}

#[tokio::test]
async fn cookie_is_pycket_id_with_a_signed_random_uuid() {
    let site = Site::new();
    let cookie = site.client().await;
    assert!(cookie.starts_with("PYCKET_ID="));
    let id = &cookie[cookie.len() - SessionId::TEXT_LEN..];
    assert_eq!(&id[14..15], "4", "the version of the UUID");
    let signed = SignedId { id: id.parse::<SessionId>().unwrap(), outdated_key: false };
    let authentic = Presented::Authentic(vec![signed]);
    assert_eq!(site.cookie.read([cookie.as_bytes()]), authentic);
}

#[tokio::test]
async fn message_set_before_a_redirect_is_shown_once() {
    let (site, _, _) = with_notifications();
    let saved = send(site.clone(), request(Method::POST, "/save", "")).await;
    assert_eq!((saved.status.as_u16(), &saved.headers["location"]), (303, &"/".parse().unwrap()));
    let home = async || send(site.clone(), request(Method::GET, "/", &saved.cookie())).await.body;
    assert_eq!(home().await, "Saved.");
    assert_eq!(home().await, "nothing new");
}

#[tokio::test]
async fn session_and_notifications_are_shared_and_loaded_on_first_use() {
    let (site, sessions, notifications) = with_notifications();
    let cookie = send(site.clone(), request(Method::POST, "/save", "")).await.cookie();
    sessions.take();
    notifications.take();
    let none = Calls::default();
    let load = Calls { load: 1, ..none };
    for (path, calls) in [
        ("/untouched", (none, none)),
        ("/twice", (load, none)),
        ("/keys", (load, none)),
        ("/", (Calls { load: 1, update: 1, ..none }, Calls { delete: 1, ..none })),
        ("/", (load, none)),
    ] {
        send(site.clone(), request(Method::GET, path, &cookie)).await;
        assert_eq!((sessions.take(), notifications.take()), calls, "{path}");
    }
}

fn with_notifications() -> (Router, Arc<CountingStore>, Arc<CountingStore>) {
    let store = || Arc::new(CountingStore::new(Arc::new(MemoryStore::new())));
    let (sessions, notifications) = (store(), store());
    let manager = SessionManager::builder(sessions.clone())
        .notifications(notifications.clone())
        .build()
        .unwrap();
    let router = Router::new()
        .route("/", get(home))
        .route("/save", post(save))
        .route("/untouched", get("ok"))
        .route("/twice", get(async |_: Session, _: Session, _: Notifications| ()))
        .route("/keys", get(keys))
        .layer(SessionLayer::new(manager, KEY).unwrap());
    (router, sessions, notifications)
}

async fn save(notifications: Notifications) -> Result<axum::response::Redirect, SessionError> {
    notifications.set("info", "Saved.")?;
    Ok(axum::response::Redirect::to("/"))
}

async fn home(notifications: Notifications) -> Result<String, SessionError> {
    Ok(notifications.get_or("info", "nothing new".to_owned()).await?)
}

async fn keys(one: Notifications, two: Notifications) -> String {
    [one.keys(), two.keys()].concat().join(",")
}
