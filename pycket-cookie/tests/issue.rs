//! The `Set-Cookie` headers that issue and remove the cookie.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, UNIX_EPOCH};

use pycket_cookie::{
    CookieSettings, CookieSettingsBuilder, KeyRing, Persistence, SameSite, SessionCookie,
};
use pycket_core::SessionId;

const HOUR: Duration = Duration::from_secs(3600);

fn cookie(settings: CookieSettingsBuilder) -> SessionCookie {
    SessionCookie::new(settings.build().unwrap(), &KeyRing::generate())
}

fn with_persistence(persistence: Persistence) -> SessionCookie {
    cookie(CookieSettings::builder().persistence(persistence))
}

/// The part of a `Set-Cookie` header after the value.
fn attributes(set_cookie: &str) -> &str {
    set_cookie.split_once("; ").unwrap().1
}

fn issued(cookie: &SessionCookie, expires_in: Duration) -> String {
    attributes(&cookie.issue(&SessionId::generate(), expires_in)).to_owned()
}

const DEFAULTS: &str = "HttpOnly; SameSite=Lax; Secure; Path=/";

#[test]
fn default_cookie_has_safe_attributes_and_ends_with_the_browser() {
    let cookie = cookie(CookieSettings::builder());
    let set_cookie = cookie.issue(&SessionId::generate(), HOUR);
    assert!(set_cookie.starts_with("PYCKET_ID="));
    assert_eq!(attributes(&set_cookie), DEFAULTS);
    assert_eq!(cookie.name(), "PYCKET_ID");
    assert!(!cookie.is_persistent());
}

#[test]
fn hardened_cookie_is_bound_to_its_host_and_hides_the_product() {
    let cookie = cookie(CookieSettings::hardened().to_builder());
    let set_cookie = cookie.issue(&SessionId::generate(), HOUR);
    assert!(set_cookie.starts_with("__Host-id="));
    assert_eq!(attributes(&set_cookie), DEFAULTS);
    assert!(!set_cookie.to_lowercase().contains("pycket"));
}

#[test]
fn each_setting_appears_in_the_cookie() {
    let cookie = cookie(
        CookieSettings::builder()
            .name("sid")
            .path("/app")
            .domain("example.com")
            .same_site(SameSite::None)
            .http_only(false)
            .partitioned(true),
    );
    let set_cookie = cookie.issue(&SessionId::generate(), HOUR);
    assert!(set_cookie.starts_with("sid="));
    assert_eq!(
        attributes(&set_cookie),
        "SameSite=None; Partitioned; Secure; Path=/app; Domain=example.com",
    );
}

#[test]
fn cookie_is_insecure_only_if_configured() {
    let cookie = cookie(CookieSettings::builder().secure(false).same_site(SameSite::Strict));
    assert_eq!(issued(&cookie, HOUR), "HttpOnly; SameSite=Strict; Path=/");
}

#[test]
fn cookie_with_max_age_ignores_the_time_left_of_the_session() {
    let cookie = with_persistence(Persistence::days(120));
    for left in [Duration::ZERO, HOUR, Duration::MAX] {
        assert_eq!(issued(&cookie, left), format!("{DEFAULTS}; Max-Age=10368000"));
    }
    assert!(cookie.is_persistent());
}

#[test]
fn cookie_with_a_date_ends_on_that_date() {
    let cookie =
        with_persistence(Persistence::Until(UNIX_EPOCH + Duration::from_millis(1_900_000_000_999)));
    assert_eq!(issued(&cookie, HOUR), format!("{DEFAULTS}; Expires=Sun, 17 Mar 2030 17:46:40 GMT"));
    assert!(cookie.is_persistent());
}

#[test]
fn cookie_that_follows_its_session_never_outlives_it() {
    let cookie = with_persistence(Persistence::FollowSession);
    for (millis, seconds) in [(3_600_000, 3600), (3_599_999, 3599), (1_000, 1), (999, 0), (0, 0)] {
        let left = Duration::from_millis(millis);
        assert_eq!(issued(&cookie, left), format!("{DEFAULTS}; Max-Age={seconds}"));
    }
    assert!(cookie.is_persistent());
}

#[test]
fn cookie_that_follows_its_session_takes_any_duration() {
    let cookie = with_persistence(Persistence::FollowSession);
    assert!(issued(&cookie, Duration::MAX).ends_with(&format!("; Max-Age={}", i64::MAX)));
}

/// With an absolute timeout of its session, in seconds, or without one.
#[test]
fn cookie_is_issued_again_if_it_can_end_before_its_session() {
    let date = Persistence::Until(UNIX_EPOCH);
    let an_hour = Persistence::MaxAge(HOUR);
    for (persistence, absolute, ends_before) in [
        (Persistence::BrowserSession, None, false),
        (Persistence::BrowserSession, Some(3600), false),
        (date, None, true),
        (date, Some(3600), true),
        (an_hour, None, true),
        (an_hour, Some(3601), true),
        (an_hour, Some(3600), false),
        (an_hour, Some(3599), false),
        (Persistence::FollowSession, None, true),
        (Persistence::FollowSession, Some(3600), false),
    ] {
        let cookie = with_persistence(persistence);
        assert_eq!(cookie.ends_before(absolute.map(Duration::from_secs)), ends_before);
    }
}

#[test]
fn cookie_of_a_remembered_session_lasts_as_long_as_the_session() {
    let cookie = with_persistence(Persistence::BrowserSession);
    let issued = cookie.issue_for(&SessionId::generate(), HOUR);
    assert_eq!(attributes(&issued), format!("{DEFAULTS}; Max-Age=3600"));
}

#[test]
fn removal_has_the_attributes_of_the_cookie_and_ends_it_at_once() {
    let settings = [
        CookieSettings::builder(),
        CookieSettings::hardened().to_builder(),
        CookieSettings::builder().secure(false).http_only(false).same_site(SameSite::Strict),
        CookieSettings::builder()
            .name("sid")
            .path("/app")
            .domain("example.com")
            .same_site(SameSite::None)
            .partitioned(true),
    ];
    for settings in settings {
        let attributes = issued(&cookie(settings.clone()), HOUR);
        for persistence in [
            Persistence::BrowserSession,
            Persistence::MaxAge(HOUR),
            Persistence::Until(UNIX_EPOCH + Duration::from_secs(1_900_000_000)),
            Persistence::FollowSession,
        ] {
            let cookie = cookie(settings.clone().persistence(persistence));
            let ended = "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
            assert_eq!(cookie.removal(), format!("{}=; {attributes}; {ended}", cookie.name()));
        }
    }
}

#[test]
fn each_set_cookie_value_is_visible_ascii() {
    let cookie = cookie(CookieSettings::builder().path("/caf%C3%A9").domain("xn--caf-dma.example"));
    for set_cookie in [cookie.issue(&SessionId::generate(), HOUR), cookie.removal()] {
        assert!(set_cookie.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()));
    }
}
