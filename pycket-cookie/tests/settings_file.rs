//! Cookie settings read from a file.

use std::time::{Duration, UNIX_EPOCH};

use pycket_cookie::{CookieSettings, Persistence, SameSite};

fn read(text: &str) -> Result<CookieSettings, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

#[test]
fn empty_file_gives_the_defaults() {
    assert_eq!(read("").unwrap(), CookieSettings::default());
}

#[test]
fn each_setting_is_read_from_the_file() {
    let expected = CookieSettings::builder()
        .name("sid")
        .path("/shop")
        .domain("example.org")
        .secure(true)
        .http_only(false)
        .same_site(SameSite::None)
        .partitioned(true)
        .persistence(Persistence::days(120))
        .build()
        .unwrap();
    let text = r#"
        name = "sid"
        path = "/shop"
        domain = "example.org"
        secure = true
        http_only = false
        same_site = "none"
        partitioned = true
        expires_days = 120
    "#;
    assert_eq!(read(text).unwrap(), expected);
}

#[test]
fn each_persistence_is_read_from_the_file() {
    for (text, persistence) in [
        ("max_age = 60", Persistence::MaxAge(Duration::from_secs(60))),
        (
            "expires = 4102444800",
            Persistence::Until(UNIX_EPOCH + Duration::from_secs(4_102_444_800)),
        ),
        ("follow_session = true", Persistence::FollowSession),
        ("follow_session = false", Persistence::BrowserSession),
    ] {
        let expected = CookieSettings::builder().persistence(persistence).build().unwrap();
        assert_eq!(read(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn unknown_setting_is_an_error_that_lists_the_known_ones() {
    let message = read("max_agee = 60").unwrap_err();
    assert!(message.contains("unknown field `max_agee`"), "{message}");
    assert!(message.contains("`max_age`") && message.contains("`expires_days`"), "{message}");
}

#[test]
fn contradiction_in_a_file_is_an_error_with_advice() {
    for (text, advice) in [
        ("same_site = \"none\"\nsecure = false", "set `secure` to true"),
        ("max_age = 60\nexpires_days = 1", "keep one of `max_age`, `expires_days`"),
        ("name = \"__Host-id\"\ndomain = \"example.org\"", "domain"),
        ("expires = 18446744073709551615", "expires"),
    ] {
        let message = read(text).unwrap_err();
        assert!(message.contains(advice), "{text}: {message}");
    }
}
