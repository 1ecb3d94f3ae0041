//! When a cookie is issued again.

use std::time::Duration;

use http::StatusCode;
use pycket_cookie::{CookieSettings, KeyRing, Persistence};
use pycket_core::{Expiry, Renew};
use pycket_testkit::{Calls, Fault};

use crate::site::{KEY, Plan, Site};

const NEW_KEY: &str = "the key after the rotation, thirty-two bytes or more";
const DAY: Duration = Expiry::DEFAULT_IDLE;

/// The same application, deployed again with a new key.
fn after_rotation(before: &Site) -> Site {
    let keys = KeyRing::new(NEW_KEY).unwrap().with_previous(KEY).unwrap();
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
async fn a_cookie_of_an_older_key_is_issued_again_when_it_only_reads() {
    let before = Site::new();
    let old = before.visitor().await;
    let after = after_rotation(&before);
    let answer = after.get("/names", &old).await;
    assert_eq!(answer.body, "user");
    let new = answer.cookie();
    assert_ne!(new, old);
    assert_eq!(
        new.split_at(new.len() - 36).1,
        old.split_at(old.len() - 36).1,
        "the id is the same"
    );

    let keys = KeyRing::new(NEW_KEY).unwrap();
    let old_key_taken_out =
        Plan { keys, memory: Some(before.memory.clone()), ..Plan::default() }.open();
    assert_eq!(old_key_taken_out.names(&new).await, "user");
    assert!(old_key_taken_out.get("/names", &new).await.set_cookies().is_empty());
}

#[tokio::test]
async fn a_cookie_of_an_older_key_is_issued_again_when_it_writes() {
    let before = Site::new();
    let old = before.visitor().await;
    let after = after_rotation(&before);
    let new = after.post("/set/age", &old).await.cookie();
    assert_eq!(after.names(&new).await, "age,user");
}

#[tokio::test]
async fn a_cookie_of_an_older_key_is_not_touched_where_the_session_is_not() {
    let before = Site::new();
    let old = before.visitor().await;
    let after = after_rotation(&before);
    assert!(after.get("/untouched", &old).await.set_cookies().is_empty());
}

#[tokio::test]
async fn a_cookie_of_an_older_key_whose_session_is_over_is_not_issued_again() {
    let before = Site::new();
    let old = before.visitor().await;
    before.post("/logout", &old).await;
    let after = after_rotation(&before);
    assert!(after.get("/names", &old).await.set_cookies().is_empty());
}

#[tokio::test]
async fn a_cookie_of_an_older_key_costs_one_more_load_and_only_once() {
    let before = Site::new();
    let old = before.visitor().await;
    let after = after_rotation(&before);
    let new = after.get("/names", &old).await.cookie();
    assert_eq!(after.calls.take(), Calls { load: 2, ..Calls::default() });
    after.get("/names", &new).await;
    assert_eq!(after.calls.take(), Calls { load: 1, ..Calls::default() });
}

#[tokio::test]
async fn a_cookie_of_an_older_key_is_not_issued_again_when_the_store_fails() {
    let before = Site::new();
    let old = before.visitor().await;
    let after = after_rotation(&before);
    after.faults.fail_nth(1, Fault::Before);
    let answer = after.get("/names", &old).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "user"));
    assert!(answer.set_cookies().is_empty());
    after.faults.fail_nth(1, Fault::Before);
    let answer = after.post("/set/age", &old).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.set_cookies().is_empty());
    assert_eq!(after.names(&old).await, "user", "the old one works on");
}

#[tokio::test]
async fn a_persistent_cookie_is_refreshed_by_a_write_and_not_by_a_read() {
    let site = with(Persistence::days(30)).open();
    let cookie = site.visitor().await;
    assert!(site.get("/names", &cookie).await.set_cookies().is_empty());
    let answer = site.post("/set/age", &cookie).await;
    assert_eq!(answer.cookie(), cookie);
    assert_eq!(max_age(answer.set_cookies()[0]), Some("2592000"));
    assert_eq!(answer.values("cache-control"), ["no-cache=\"set-cookie\""]);
}

#[tokio::test]
async fn a_cookie_that_follows_the_session_lives_exactly_as_long() {
    let site = with(Persistence::FollowSession).open();
    let cookie = site.visitor().await;
    site.clock.advance(DAY / 2);
    let answer = site.post("/set/age", &cookie).await;
    assert_eq!(answer.cookie(), cookie);
    assert_eq!(max_age(answer.set_cookies()[0]), Some("86400"));

    let absolute = Expiry::builder().absolute_timeout(DAY).build().unwrap();
    let site = Plan { expiry: absolute, ..with(Persistence::FollowSession) }.open();
    let cookie = site.visitor().await;
    site.clock.advance(DAY / 4);
    let answer = site.post("/set/age", &cookie).await;
    assert_eq!(max_age(answer.set_cookies()[0]), Some("64800"), "the absolute end comes first");
}

#[tokio::test]
async fn a_persistent_cookie_is_refreshed_by_a_read_that_renews_the_session() {
    let expiry = Expiry::builder().renew(Renew::OnAccess).build().unwrap();
    let site = Plan { expiry, ..with(Persistence::FollowSession) }.open();
    let cookie = site.visitor().await;
    assert!(site.get("/names", &cookie).await.set_cookies().is_empty(), "too early to renew");
    site.clock.advance(DAY / 10);
    let answer = site.get("/names", &cookie).await;
    assert_eq!(answer.cookie(), cookie);
    assert_eq!(max_age(answer.set_cookies()[0]), Some("86400"));
}

#[tokio::test]
async fn a_cookie_that_ends_with_the_browser_is_not_refreshed_by_a_renewal() {
    let expiry = Expiry::builder().renew(Renew::OnAccess).build().unwrap();
    let site = Plan { expiry, ..Plan::default() }.open();
    let cookie = site.visitor().await;
    for _ in 0..15 {
        site.clock.advance(DAY / 10);
        let answer = site.get("/names", &cookie).await;
        assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "user"), "it was renewed");
        assert!(answer.set_cookies().is_empty());
    }
    site.clock.advance(DAY + Duration::from_secs(1));
    assert_eq!(site.names(&cookie).await, "", "and is over in the end");
}
