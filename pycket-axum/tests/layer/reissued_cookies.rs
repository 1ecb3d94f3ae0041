//! When the layer issues a cookie again.

use std::time::Duration;

use axum::Router;
use axum::routing::post;
use http::StatusCode;
use pycket_axum::{Session, SessionError};
use pycket_cookie::{CookieSettings, KeyRing, Persistence};
use pycket_core::{Expiry, Renew};
use pycket_testkit::{Calls, Fault};

use crate::site::{KEY, Plan, Site};

const NEW_KEY: &str = "the key after the rotation, thirty-two bytes or more";
const DAY: Duration = Expiry::DEFAULT_IDLE;

/// The same application after a deployment with a new key.
fn after_rotation(before: &Site) -> Site {
    let keys = KeyRing::builder(NEW_KEY).previous(KEY).build().unwrap();
    Plan { keys, memory: Some(before.memory.clone()), ..Plan::default() }.open()
}

fn with(persistence: Persistence) -> Plan {
    let settings = CookieSettings::builder().persistence(persistence).build().unwrap();
    Plan { settings, ..Plan::default() }
}

fn max_age(set_cookie: &str) -> Option<&str> {
    set_cookie.split("; ").find_map(|attribute| attribute.strip_prefix("Max-Age="))
}

#[tokio::test]
async fn cookie_of_a_previous_key_is_issued_again_by_a_read() {
    let before = Site::new();
    let old = before.client().await;
    let after = after_rotation(&before);
    let response = after.get("/names", &old).await;
    assert_eq!(response.body, "user");
    let new = response.cookie();
    assert_ne!(new, old);
    assert_eq!(
        new.split_at(new.len() - 36).1,
        old.split_at(old.len() - 36).1,
        "the id is the same"
    );

    let keys = KeyRing::new(NEW_KEY).unwrap();
    let old_key_removed =
        Plan { keys, memory: Some(before.memory.clone()), ..Plan::default() }.open();
    assert_eq!(old_key_removed.names(&new).await, "user");
    assert!(old_key_removed.get("/names", &new).await.set_cookies().is_empty());
}

#[tokio::test]
async fn cookie_of_a_previous_key_is_issued_again_by_a_write() {
    let before = Site::new();
    let old = before.client().await;
    let after = after_rotation(&before);
    let new = after.post("/set/age", &old).await.cookie();
    assert_eq!(after.names(&new).await, "age,user");
}

#[tokio::test]
async fn cookie_of_a_previous_key_stays_if_the_session_is_unused() {
    let before = Site::new();
    let old = before.client().await;
    let after = after_rotation(&before);
    assert!(after.get("/untouched", &old).await.set_cookies().is_empty());
}

#[tokio::test]
async fn cookie_of_a_previous_key_stays_if_its_session_has_ended() {
    let before = Site::new();
    let old = before.client().await;
    before.post("/logout", &old).await;
    let after = after_rotation(&before);
    assert!(after.get("/names", &old).await.set_cookies().is_empty());
}

#[tokio::test]
async fn cookie_of_a_previous_key_costs_one_more_load_once() {
    let before = Site::new();
    let old = before.client().await;
    let after = after_rotation(&before);
    let new = after.get("/names", &old).await.cookie();
    assert_eq!(after.calls.take(), Calls { load: 2, ..Calls::default() });
    after.get("/names", &new).await;
    assert_eq!(after.calls.take(), Calls { load: 1, ..Calls::default() });
}

#[tokio::test]
async fn cookie_of_a_previous_key_stays_if_the_store_fails() {
    let before = Site::new();
    let old = before.client().await;
    let after = after_rotation(&before);
    after.faults.fail_nth(1, Fault::Before);
    let response = after.get("/names", &old).await;
    assert_eq!((response.status, &*response.body), (StatusCode::OK, "user"));
    assert!(response.set_cookies().is_empty());
    after.faults.fail_nth(1, Fault::Before);
    let response = after.post("/set/age", &old).await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.set_cookies().is_empty());
    assert_eq!(after.names(&old).await, "user", "the old cookie stays valid");
}

#[tokio::test]
async fn persistent_cookie_is_refreshed_by_a_write_and_not_by_a_read() {
    let site = with(Persistence::days(30)).open();
    let cookie = site.client().await;
    assert!(site.post("/set/age", &cookie).await.set_cookies().is_empty(), "it is still fresh");
    site.clock.advance(DAY / 10);
    assert!(site.get("/names", &cookie).await.set_cookies().is_empty());
    let response = site.post("/set/city", &cookie).await;
    assert_eq!(response.cookie(), cookie);
    assert_eq!(max_age(response.set_cookies()[0]), Some("2592000"));
    assert_eq!(response.values("cache-control"), ["private"]);
}

#[tokio::test]
async fn cookie_that_follows_the_session_has_its_remaining_time() {
    let site = with(Persistence::FollowSession).open();
    let cookie = site.client().await;
    site.clock.advance(DAY / 2);
    let response = site.post("/set/age", &cookie).await;
    assert_eq!(response.cookie(), cookie);
    assert_eq!(max_age(response.set_cookies()[0]), Some("86400"));

    let absolute = Expiry::builder().absolute_timeout(DAY).build().unwrap();
    let site = Plan { expiry: absolute, ..with(Persistence::FollowSession) }.open();
    let first = site.post("/set/age", "").await;
    assert_eq!(
        max_age(first.set_cookies()[0]),
        Some("86400"),
        "it lasts as long as the session can"
    );
    site.clock.advance(DAY / 4);
    let response = site.post("/set/age", &first.cookie()).await;
    assert!(response.set_cookies().is_empty(), "so it needs no refresh");
    site.clock.advance(DAY / 4);
    let login = site.post("/login", &first.cookie()).await;
    assert_eq!(max_age(login.set_cookies()[0]), Some("43200"), "a new id has what is left");
}

#[tokio::test]
async fn remembered_session_has_a_cookie_that_lasts_and_others_have_none() {
    const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);
    let remember =
        async |session: Session| session.remember(MONTH, MONTH).map_err(SessionError::from);
    let routes = Router::new().route("/remember", post(remember));
    let site = Plan { expiry: Expiry::aal2(), ..Plan::with(routes) }.open();
    let other = site.client().await;
    let login = site.post("/remember", &site.client().await).await;
    assert_eq!(max_age(login.set_cookies()[0]), Some("2592000"));
    let remembered = login.cookie();

    site.clock.advance(DAY / 2);
    assert_eq!(site.names(&other).await, "", "it ended at the application's idle timeout");
    let renewed = site.post("/set/age", &remembered).await;
    assert!(renewed.set_cookies().is_empty(), "the cookie lasts as long as the session can");
    site.clock.advance(20 * DAY);
    assert_eq!(site.names(&remembered).await, "age,user");
    let fresh = site.post("/set/age", "").await;
    assert_eq!(max_age(fresh.set_cookies()[0]), None, "others have a browser-session cookie");
    site.clock.advance(10 * DAY);
    assert_eq!(site.names(&remembered).await, "", "it ended at its own absolute timeout");
}

#[tokio::test]
async fn persistent_cookie_is_refreshed_by_a_renewing_read() {
    let expiry = Expiry::builder().renew(Renew::OnAccess).build().unwrap();
    let site = Plan { expiry, ..with(Persistence::FollowSession) }.open();
    let cookie = site.client().await;
    assert!(site.get("/names", &cookie).await.set_cookies().is_empty(), "too early to renew");
    site.clock.advance(DAY / 10);
    let response = site.get("/names", &cookie).await;
    assert_eq!(response.cookie(), cookie);
    assert_eq!(max_age(response.set_cookies()[0]), Some("86400"));
}

#[tokio::test]
async fn browser_session_cookie_is_not_refreshed_by_a_renewal() {
    let expiry = Expiry::builder().renew(Renew::OnAccess).build().unwrap();
    let site = Plan { expiry, ..Plan::default() }.open();
    let cookie = site.client().await;
    for _ in 0..15 {
        site.clock.advance(DAY / 10);
        let response = site.get("/names", &cookie).await;
        assert_eq!((response.status, &*response.body), (StatusCode::OK, "user"), "it was renewed");
        assert!(response.set_cookies().is_empty());
    }
    site.clock.advance(DAY + Duration::from_secs(1));
    assert_eq!(site.names(&cookie).await, "", "the session ends at last");
}
