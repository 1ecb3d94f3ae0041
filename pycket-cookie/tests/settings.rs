//! What a browser would misread or silently drop is an error that says what to change.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pycket_cookie::{CookieSettings, CookieSettingsBuilder, Persistence, SameSite};
use pycket_core::ErrorKind;

/// The message with which these settings are refused.
#[track_caller]
fn refusal(settings: CookieSettingsBuilder) -> String {
    let error = settings.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSetting);
    error.to_string()
}

#[track_caller]
fn accepts(settings: CookieSettingsBuilder) {
    settings.build().unwrap();
}

fn named(name: &str) -> CookieSettingsBuilder {
    CookieSettings::builder().name(name)
}

#[test]
fn the_presets_hold_no_contradiction() {
    assert_eq!(CookieSettings::builder().build().unwrap(), CookieSettings::default());
    let hardened = CookieSettings::hardened();
    assert_eq!(hardened.clone().into_builder().build().unwrap(), hardened);
}

#[test]
fn a_host_cookie_has_no_domain() {
    assert_eq!(
        refusal(CookieSettings::hardened().into_builder().domain("example.com")),
        "a cookie named `__Host-…` has no domain: leave the domain out, or name it `__Secure-…`",
    );
}

#[test]
fn a_host_cookie_has_no_other_path() {
    assert_eq!(
        refusal(CookieSettings::hardened().into_builder().path("/app")),
        "a cookie named `__Host-…` has the path `/`: leave the path out, or name it `__Secure-…`",
    );
}

#[test]
fn a_cookie_with_a_secure_prefix_is_secure() {
    for name in ["__Host-id", "__Secure-id", "__Http-id", "__Host-Http-id"] {
        accepts(named(name));
        assert_eq!(
            refusal(named(name).secure(false)),
            "a cookie named `__Host-…`, `__Secure-…` or `__Http-…` is secure: keep `secure` on, or choose \
             a name without the prefix",
        );
    }
    accepts(named("__Secure-id").domain("example.com").path("/app"));
}

#[test]
fn a_cookie_with_an_http_prefix_is_kept_from_scripts() {
    for name in ["__Http-id", "__Host-Http-id"] {
        assert_eq!(
            refusal(named(name).http_only(false)),
            "a cookie named `__Http-…` or `__Host-Http-…` is kept from scripts: keep `http_only` on, or \
             choose a name without the prefix",
        );
    }
    accepts(named("__Host-id").http_only(false));
}

#[test]
fn prefixes_count_in_any_case_and_only_at_the_beginning() {
    for name in ["__HOST-id", "__host-id", "__hOsT-id"] {
        assert!(refusal(named(name).domain("example.com")).contains("has no domain"), "{name}");
        assert!(refusal(named(name).path("/app")).contains("has the path `/`"), "{name}");
    }
    for name in ["__SECURE-id", "__secure-id", "__HTTP-id"] {
        assert!(refusal(named(name).secure(false)).contains("keep `secure` on"), "{name}");
    }
    for name in ["_Host-id", "__Host_id", "x__Host-id", "__Hostid"] {
        accepts(named(name).secure(false).domain("example.com").path("/app"));
    }
}

#[test]
fn same_site_none_needs_secure() {
    let cross_site = CookieSettings::builder().same_site(SameSite::None);
    accepts(cross_site.clone());
    assert_eq!(
        refusal(cross_site.secure(false)),
        "browsers drop a cookie with `SameSite=None` that is not secure: keep `secure` on, or choose \
         `SameSite::Lax`",
    );
}

#[test]
fn partitioned_needs_secure() {
    let partitioned = CookieSettings::builder().partitioned(true);
    accepts(partitioned.clone());
    assert_eq!(
        refusal(partitioned.secure(false)),
        "browsers drop a partitioned cookie that is not secure: keep `secure` on, or turn `partitioned` \
         off",
    );
}

#[test]
fn the_name_is_not_empty() {
    assert_eq!(
        refusal(named("")),
        "the cookie's name is empty: leave it out to get `PYCKET_ID`, or give one",
    );
}

#[test]
fn the_name_is_a_token() {
    assert_eq!(
        refusal(named("session id")),
        "the cookie's name contains ' ': use only ASCII letters, digits and !#$%&'*+-.^_`|~",
    );
    for stranger in "=;,\"\\/()<>@:?[]{}\t\r\n\0\u{7f}é".chars() {
        let message = refusal(named(&format!("sid{stranger}")));
        assert!(message.contains(&format!("contains {stranger:?}")), "{message}");
    }
    accepts(named("aZ09!#$%&'*+-.^_`|~"));
}

#[test]
fn name_and_value_stay_within_4096_bytes() {
    accepts(named(&"n".repeat(4016)));
    assert_eq!(
        refusal(named(&"n".repeat(4017))),
        "the cookie's name and value exceed 4096 bytes, and browsers would drop it: shorten the name from \
         4017 to at most 4016 bytes",
    );
}

#[test]
fn the_path_begins_with_a_slash() {
    for path in ["", "app", " /"] {
        assert_eq!(
            refusal(CookieSettings::builder().path(path)),
            "the cookie's path must begin with `/`: put one in front, or leave it out",
        );
    }
    accepts(CookieSettings::builder().path("/app/%20/~x?y=1,2"));
}

#[test]
fn the_path_holds_only_what_a_cookie_can_hold() {
    assert_eq!(
        refusal(CookieSettings::builder().path("/; Domain=evil.example")),
        "the cookie's path contains ';', which cannot stand in a cookie: take it out or percent-encode it",
    );
    for stranger in " \r\n\t\0\u{7f}é".chars() {
        let message = refusal(CookieSettings::builder().path(format!("/app{stranger}")));
        assert!(message.contains(&format!("contains {stranger:?}")), "{message}");
    }
}

#[test]
fn the_path_is_short_enough_for_browsers() {
    accepts(CookieSettings::builder().path(format!("/{}", "p".repeat(1023))));
    assert_eq!(
        refusal(CookieSettings::builder().path(format!("/{}", "p".repeat(1024)))),
        "the cookie's path exceeds 1024 bytes, and browsers would ignore it: use a shorter one",
    );
}

#[test]
fn the_domain_is_a_host_name() {
    let too_long = "a.".repeat(127) + "a";
    for domain in [
        "",
        ".",
        "..example.com",
        "example..com",
        "example.com.",
        "-example.com",
        "example-.com",
        "example.com; Path=/x",
        "exa mple.com",
        "example.com\r\n",
        "https://example.com",
        "example.com:8080",
        "bücher.example",
        &"a".repeat(64),
        &too_long,
    ] {
        assert_eq!(
            refusal(CookieSettings::builder().domain(domain)),
            "the cookie's domain is not a host name: write it like `example.com`, without scheme, port and \
             spaces, international names as `xn--…`, or leave it out",
            "{domain:?}",
        );
    }
    for domain in
        ["example.com", "Example.COM", "localhost", "xn--bcher-kva.example", "my_app.example.com"]
    {
        accepts(CookieSettings::builder().domain(domain));
    }
}

#[test]
fn a_leading_dot_of_the_domain_is_dropped() {
    assert_eq!(
        CookieSettings::builder().domain(".example.com").build().unwrap(),
        CookieSettings::builder().domain("example.com").build().unwrap(),
    );
}

#[test]
fn a_fixed_age_is_one_second_to_ten_years() {
    let lasting = |age| CookieSettings::builder().persistence(Persistence::MaxAge(age));
    let ten_years = Duration::from_secs(3653 * 24 * 60 * 60);
    for age in [Duration::ZERO, Duration::from_millis(999), ten_years * 2, Duration::MAX] {
        assert_eq!(
            refusal(lasting(age)),
            "the cookie's `MaxAge` must be one second to ten years (3653 days): choose another, or \
             `BrowserSession` for a cookie that ends with the browser",
        );
    }
    accepts(lasting(Duration::from_secs(1)));
    accepts(lasting(ten_years));
}

#[test]
fn a_date_is_one_that_a_cookie_can_hold() {
    let until = |date| CookieSettings::builder().persistence(Persistence::Until(date));
    let after_9999 = UNIX_EPOCH + Duration::from_secs(253_402_300_800);
    let before_1970 = UNIX_EPOCH - Duration::from_secs(1);
    for date in [before_1970, after_9999] {
        assert_eq!(
            refusal(until(date)),
            "the cookie's `Until` must be a date from 1970 to 9999: choose another, or `MaxAge` for a span \
             of time",
        );
    }
    accepts(until(SystemTime::now()));
    accepts(until(after_9999 - Duration::from_secs(1)));
}

#[test]
fn settings_are_values() {
    let settings = CookieSettings::default();
    let changed = settings.clone().into_builder().name("sid").build().unwrap();
    assert_eq!((settings.name(), changed.name()), ("PYCKET_ID", "sid"));
}
