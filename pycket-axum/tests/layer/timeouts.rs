//! The server decides when a session ends, independent of the cookie.

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
async fn session_ends_at_its_idle_timeout_with_its_cookie_still_authentic() {
    let expiry = Expiry::aal2();
    let site = Plan { expiry, ..Plan::default() }.open();
    let cookie = site.client().await;
    site.clock.advance(Duration::from_secs(3600));
    let presented = site.cookie.read([cookie.as_bytes()]);
    assert!(matches!(presented, Presented::Authentic { .. }));
    assert_eq!(site.names(&cookie).await, "");
}

#[tokio::test]
async fn edited_cookie_does_not_extend_the_session() {
    let expiry = Expiry::builder().renew(Renew::OnAccess).absolute_timeout(DAY).build().unwrap();
    let settings = CookieSettings::builder().persistence(Persistence::days(1)).build().unwrap();
    let site = Plan { expiry, settings, ..Plan::default() }.open();
    let cookie = site.client().await;
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

/// pycket's signature expires after 31 days, independent of the settings.
#[tokio::test]
async fn cookie_and_session_of_120_days_are_valid_on_their_last_day() {
    let site = site(Persistence::days(120), 120 * DAY);
    let response = site.post("/set/user", "").await;
    assert!(response.set_cookies()[0].ends_with("; Max-Age=10368000"));
    site.clock.advance(120 * DAY - SECOND);
    assert_eq!(site.names(&response.cookie()).await, "user");
    site.clock.advance(SECOND);
    assert_eq!(site.names(&response.cookie()).await, "");
}
