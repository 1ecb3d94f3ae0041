//! The table "Round trips" of the README, through HTTP.

use axum::Router;
use axum::routing::post;
use pycket_axum::{Session, SessionError};
use pycket_core::{Expiry, Renew};
use pycket_testkit::Calls;

use crate::site::{Plan, Site};

const NONE: Calls = Calls { create: 0, load: 0, update: 0, delete: 0 };

#[tokio::test]
async fn unused_session_costs_no_store_call() {
    let site = Site::new();
    let cookie = site.client().await;
    site.get("/untouched", &cookie).await;
    assert_eq!(site.calls.take(), NONE);
}

#[tokio::test]
async fn read_costs_one_load() {
    let site = Site::new();
    let cookie = site.client().await;
    site.get("/names", &cookie).await;
    assert_eq!(site.calls.take(), Calls { load: 1, ..NONE });
}

#[tokio::test]
async fn renewing_read_costs_a_load_and_ten_touches_per_idle_timeout() {
    let expiry = Expiry::builder().renew(Renew::OnAccess).build().unwrap();
    let site = Plan { expiry, ..Plan::default() }.open();
    let cookie = site.client().await;
    for _ in 0..100 {
        site.clock.advance(Expiry::DEFAULT_IDLE / 100);
        site.get("/names", &cookie).await;
    }
    assert_eq!(site.calls.take(), Calls { load: 100, update: 10, ..NONE });
}

#[tokio::test]
async fn first_write_of_a_client_costs_one_create() {
    let site = Site::new();
    site.post("/set/user", "").await;
    assert_eq!(site.calls.take(), Calls { create: 1, ..NONE });
}

#[tokio::test]
async fn write_costs_a_load_and_an_update() {
    let site = Site::new();
    let cookie = site.client().await;
    site.post("/set/age", &cookie).await;
    assert_eq!(site.calls.take(), Calls { load: 1, update: 1, ..NONE });
}

#[tokio::test]
async fn write_of_an_equal_value_costs_one_load() {
    let site = Site::new();
    let cookie = site.client().await;
    site.post("/set/user", &cookie).await;
    assert_eq!(site.calls.take(), Calls { load: 1, ..NONE });
}

#[tokio::test]
async fn login_costs_a_load_a_create_and_a_delete() {
    let site = Site::new();
    let cookie = site.client().await;
    site.post("/login", &cookie).await;
    assert_eq!(site.calls.take(), Calls { load: 1, create: 1, delete: 1, ..NONE });
}

#[tokio::test]
async fn logout_costs_a_load_and_a_delete() {
    let site = Site::new();
    let cookie = site.client().await;
    site.post("/logout", &cookie).await;
    assert_eq!(site.calls.take(), Calls { load: 1, delete: 1, ..NONE });
}

#[tokio::test]
async fn two_extractors_share_one_session_and_one_load() {
    let handler = async |one: Session, two: Session| {
        one.set("age", &30)?;
        assert_eq!(two.require::<u8>("age")?, 30);
        Ok::<_, SessionError>(())
    };
    let site = Plan::with(Router::new().route("/two", post(handler))).open();
    let cookie = site.client().await;
    assert!(site.post("/two", &cookie).await.status.is_success());
    assert_eq!(site.calls.take(), Calls { load: 1, update: 1, ..NONE });
}
