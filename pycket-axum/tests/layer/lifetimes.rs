//! The server ends sessions, whatever the browser has.

use std::time::Duration;

use pycket_cookie::{CookieSettings, Persistence, Presented};
use pycket_core::{Expiry, Renew};

use crate::site::{Plan, Site};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

fn site(persistence: Persistence, idle: Duration) -> Site {
    let settings = CookieSettings::builder().persistence(persistence).build().unwrap();
    let expiry = Expiry::builder().idle_timeout(idle).build().unwrap();
    Plan { settings, expiry, ..Plan::default() }.open()
}

#[tokio::test]
async fn a_cookie_is_still_authentic_when_its_session_has_been_idle_for_too_long() {
    let expiry = Expiry::aal2();
    let site = Plan { expiry, ..Plan::default() }.open();
    let cookie = site.visitor().await;
    site.clock.advance(Duration::from_secs(3600));
    let presented = site.cookie.read([cookie.as_bytes()]);
    assert!(matches!(presented, Presented::Authentic { .. }));
    assert_eq!(site.names(&cookie).await, "");
}

#[tokio::test]
async fn nothing_that_is_edited_in_the_cookie_lengthens_the_session() {
    let expiry = Expiry::builder().renew(Renew::OnAccess).absolute_timeout(DAY).build().unwrap();
    let settings = CookieSettings::builder().persistence(Persistence::days(1)).build().unwrap();
    let site = Plan { expiry, settings, ..Plan::default() }.open();
    let cookie = site.visitor().await;
    let edited = [
        format!("{cookie}; Max-Age=315360000"),
        format!("{cookie}; Expires=Fri, 31 Dec 9999 23:59:59 GMT; $Path=/"),
        format!("Max-Age=315360000; {cookie}"),
    ];
    site.clock.advance(DAY - SECOND);
    for cookie in &edited {
        assert_eq!(site.names(cookie).await, "user");
    }
    site.clock.advance(SECOND);
    for cookie in edited.iter().chain([&cookie]) {
        assert_eq!(site.names(cookie).await, "");
    }
}

/// The signature of the original is void after 31 days, whatever its settings say.
#[tokio::test]
async fn a_cookie_and_a_session_of_120_days_are_good_on_their_last_day() {
    let site = site(Persistence::days(120), 120 * DAY);
    let answer = site.post("/set/user", "").await;
    assert!(answer.set_cookies()[0].ends_with("; Max-Age=10368000"));
    site.clock.advance(120 * DAY - SECOND);
    assert_eq!(site.names(&answer.cookie()).await, "user");
    site.clock.advance(SECOND);
    assert_eq!(site.names(&answer.cookie()).await, "");
}
