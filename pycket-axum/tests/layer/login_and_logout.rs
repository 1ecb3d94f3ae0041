//! New and removed cookies at login and logout.

use axum::Router;
use axum::routing::post;
use http::StatusCode;
use pycket_axum::{Session, SessionError, SessionHandle};
use pycket_cookie::{CookieSettings, SameSite};
use pycket_testkit::{Calls, Fault};

use crate::site::{Plan, Site};

/// All attributes but the value, `Max-Age` and `Expires`.
fn shared_attributes(set_cookie: &str) -> Vec<&str> {
    let mut parts: Vec<_> = set_cookie
        .split("; ")
        .enumerate()
        .map(|(n, part)| if n == 0 { part.split('=').next().unwrap() } else { part })
        .filter(|part| !part.starts_with("Max-Age=") && !part.starts_with("Expires="))
        .collect();
    parts.sort_unstable();
    parts
}

#[tokio::test]
async fn removal_has_the_attributes_of_the_cookie() {
    let settings = CookieSettings::builder()
        .name("__Secure-sid")
        .domain("example.com")
        .path("/shop")
        .same_site(SameSite::None)
        .partitioned(true)
        .build()
        .unwrap();
    for settings in [CookieSettings::default(), CookieSettings::hardened(), settings] {
        let site = Plan { settings, ..Plan::default() }.open();
        let set = site.post("/set/user", "").await;
        let removed = site.post("/logout", &set.cookie()).await;
        assert_eq!(removed.status, StatusCode::OK);
        let (set, removed) = (set.set_cookies()[0], removed.set_cookies()[0]);
        assert_eq!(shared_attributes(set), shared_attributes(removed));
        assert!(removed.contains("=; ") && removed.contains("Max-Age=0"), "{removed}");
        assert!(site.memory.is_empty());
    }
}

#[tokio::test]
async fn logout_without_a_session_does_nothing() {
    let site = Site::new();
    let response = site.post("/logout", "").await;
    assert_eq!(response.status, StatusCode::OK);
    assert!(response.set_cookies().is_empty());
    assert_eq!(site.calls.take(), Calls::default());
}

#[tokio::test]
async fn logout_through_the_handle_ends_the_session() {
    let handler = async |handle: SessionHandle| handle.destroy().await.map_err(SessionError::from);
    let site = Plan::with(Router::new().route("/leave", post(handler))).open();
    let cookie = site.client().await;
    site.faults.fail_nth(0, Fault::Before);
    let failed = site.post("/leave", &cookie).await;
    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(failed.set_cookies().is_empty(), "the client can try again");
    assert_eq!(site.post("/leave", &cookie).await.cookie(), "PYCKET_ID=");
    assert!(site.memory.is_empty());
    assert!(site.post("/leave", "").await.set_cookies().is_empty());
}

#[tokio::test]
async fn logout_of_an_ended_session_removes_the_cookie() {
    let site = Site::new();
    let cookie = site.client().await;
    site.post("/logout", &cookie).await;
    assert_eq!(site.post("/logout", &cookie).await.cookie(), "PYCKET_ID=");
}

#[tokio::test]
async fn set_after_destroy_creates_a_session_with_a_new_cookie() {
    let handler = async |session: Session| {
        session.destroy();
        session.set("theme", "dark")?;
        Ok::<_, SessionError>(())
    };
    let site = Plan::with(Router::new().route("/restart", post(handler))).open();
    let old = site.client().await;
    let new = site.post("/restart", &old).await.cookie();
    assert_eq!(site.calls.take(), Calls { load: 1, delete: 1, create: 1, ..Calls::default() });
    assert_eq!((&*site.names(&old).await, &*site.names(&new).await), ("", "theme"));
}

#[tokio::test]
async fn login_changes_the_cookie_and_ends_the_old_one() {
    let site = Site::new();
    let old = site.client().await;
    let new = site.post("/login", &old).await.cookie();
    assert_ne!(new, old);
    assert_eq!((&*site.names(&old).await, &*site.names(&new).await), ("", "login,user"));
}

#[tokio::test]
async fn write_with_the_cookie_of_an_ended_session_creates_a_session() {
    let site = Site::new();
    let old = site.client().await;
    site.post("/logout", &old).await;
    let new = site.post("/set/age", &old).await.cookie();
    assert_ne!(new, old);
    assert_eq!((&*site.names(&old).await, &*site.names(&new).await), ("", "age"));
}
