//! Settings that a browser misreads or silently drops are errors that say what to change.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pycket_cookie::{CookieSettings, CookieSettingsBuilder, Persistence, SameSite};
use pycket_core::ErrorKind;

/// The error text for these settings.
#[track_caller]
fn error_text(settings: CookieSettingsBuilder) -> String {
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
fn presets_are_valid() {
    assert_eq!(CookieSettings::builder().build().unwrap(), CookieSettings::default());
    let hardened = CookieSettings::hardened();
    assert_eq!(hardened.to_builder().build().unwrap(), hardened);
}

#[test]
fn host_cookie_with_a_domain_is_an_error() {
    assert_eq!(
        error_text(CookieSettings::hardened().to_builder().domain("example.com")),
        "a cookie named `__Host-…` must not have a domain: leave it out, or use the prefix `__Secure-`",
    );
}

#[test]
fn host_cookie_with_another_path_is_an_error() {
    assert_eq!(
        error_text(CookieSettings::hardened().to_builder().path("/app")),
        "a cookie named `__Host-…` must have the path `/`: leave it out, or use the prefix `__Secure-`",
    );
}

#[test]
fn cookie_with_a_secure_prefix_must_be_secure() {
    for name in ["__Host-id", "__Secure-id", "__Http-id", "__Host-Http-id"] {
        accepts(named(name));
        assert_eq!(
            error_text(named(name).secure(false)),
            "a cookie named `__Host-…`, `__Secure-…` or `__Http-…` must be secure: set `secure` to true, or \
             choose a name without the prefix",
        );
    }
    accepts(named("__Secure-id").domain("example.com").path("/app"));
}

#[test]
fn cookie_with_an_http_prefix_must_be_http_only() {
    for name in ["__Http-id", "__Host-Http-id"] {
        assert_eq!(
            error_text(named(name).http_only(false)),
            "a cookie named `__Http-…` or `__Host-Http-…` must be hidden from scripts: set `http_only` to \
             true, or choose a name without the prefix",
        );
    }
    accepts(named("__Host-id").http_only(false));
}

#[test]
fn prefix_counts_in_any_case_and_only_at_the_beginning() {
    for name in ["__HOST-id", "__host-id", "__hOsT-id"] {
        assert!(
            error_text(named(name).domain("example.com")).contains("must not have a domain"),
            "{name}"
        );
        assert!(error_text(named(name).path("/app")).contains("must have the path `/`"), "{name}");
    }
    for name in ["__SECURE-id", "__secure-id", "__HTTP-id"] {
        assert!(error_text(named(name).secure(false)).contains("set `secure` to true"), "{name}");
    }
    for name in ["_Host-id", "__Host_id", "x__Host-id", "__Hostid"] {
        accepts(named(name).secure(false).domain("example.com").path("/app"));
    }
}

#[test]
fn same_site_none_without_secure_is_an_error() {
    let cross_site = CookieSettings::builder().same_site(SameSite::None);
    accepts(cross_site.clone());
    assert_eq!(
        error_text(cross_site.secure(false)),
        "browsers drop a cookie with `SameSite=None` that is not secure: set `secure` to true, or choose \
         `SameSite::Lax`",
    );
}

#[test]
fn partitioned_without_secure_is_an_error() {
    let partitioned = CookieSettings::builder().partitioned(true);
    accepts(partitioned.clone());
    assert_eq!(
        error_text(partitioned.secure(false)),
        "browsers drop a partitioned cookie that is not secure: set `secure` to true, or \
         `partitioned` to false",
    );
}

#[test]
fn empty_name_is_an_error() {
    assert_eq!(
        error_text(named("")),
        "the cookie name is empty: choose one, or leave it out to use `PYCKET_ID`",
    );
}

#[test]
fn name_that_is_not_a_token_is_an_error() {
    assert_eq!(
        error_text(named("session id")),
        "the cookie name contains ' ': use only ASCII letters, digits and !#$%&'*+-.^_`|~",
    );
    for character in "=;,\"\\/()<>@:?[]{}\t\r\n\0\u{7f}é".chars() {
        let message = error_text(named(&format!("sid{character}")));
        assert!(message.contains(&format!("contains {character:?}")), "{message}");
    }
    accepts(named("aZ09!#$%&'*+-.^_`|~"));
}

#[test]
fn name_and_value_over_4096_bytes_are_an_error() {
    accepts(named(&"n".repeat(4016)));
    assert_eq!(
        error_text(named(&"n".repeat(4017))),
        "the cookie name and value exceed 4096 bytes, and browsers drop such a cookie: shorten the name from \
         4017 to at most 4016 bytes",
    );
}

#[test]
fn path_without_a_leading_slash_is_an_error() {
    for path in ["", "app", " /"] {
        assert_eq!(
            error_text(CookieSettings::builder().path(path)),
            "the cookie path does not begin with `/`: add it, or leave the path out",
        );
    }
    accepts(CookieSettings::builder().path("/app/%20/~x?y=1,2"));
}

#[test]
fn path_with_an_invalid_character_is_an_error() {
    assert_eq!(
        error_text(CookieSettings::builder().path("/; Domain=evil.example")),
        "the cookie path contains ';', which a cookie cannot contain: remove it or percent-encode it",
    );
    for character in " \r\n\t\0\u{7f}é".chars() {
        let message = error_text(CookieSettings::builder().path(format!("/app{character}")));
        assert!(message.contains(&format!("contains {character:?}")), "{message}");
    }
}

#[test]
fn path_over_1024_bytes_is_an_error() {
    accepts(CookieSettings::builder().path(format!("/{}", "p".repeat(1023))));
    assert_eq!(
        error_text(CookieSettings::builder().path(format!("/{}", "p".repeat(1024)))),
        "the cookie path exceeds 1024 bytes, and browsers ignore such a path: shorten it",
    );
}

#[test]
fn domain_that_is_not_a_host_name_is_an_error() {
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
            error_text(CookieSettings::builder().domain(domain)),
            "the cookie domain is not a host name: write it like `example.com`, without scheme, port and \
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
fn leading_dot_of_a_domain_is_removed() {
    assert_eq!(
        CookieSettings::builder().domain(".example.com").build().unwrap(),
        CookieSettings::builder().domain("example.com").build().unwrap(),
    );
}

#[test]
fn max_age_outside_one_second_to_ten_years_is_an_error() {
    let max_age = |age| CookieSettings::builder().persistence(Persistence::MaxAge(age));
    let ten_years = Duration::from_secs(3653 * 24 * 60 * 60);
    for age in [Duration::ZERO, Duration::from_millis(999), ten_years * 2, Duration::MAX] {
        assert_eq!(
            error_text(max_age(age)),
            "the cookie's `MaxAge` is not between one second and ten years (3653 days): choose another, or \
             `BrowserSession` for a cookie that ends with the browser",
        );
    }
    accepts(max_age(Duration::from_secs(1)));
    accepts(max_age(ten_years));
}

#[test]
fn date_outside_1970_to_9999_is_an_error() {
    let until = |date| CookieSettings::builder().persistence(Persistence::Until(date));
    let after_9999 = UNIX_EPOCH + Duration::from_secs(253_402_300_800);
    let before_1970 = UNIX_EPOCH - Duration::from_secs(1);
    for date in [before_1970, after_9999] {
        assert_eq!(
            error_text(until(date)),
            "the cookie's `Until` is not a date from 1970 to 9999: choose another, or `MaxAge` for a \
             duration",
        );
    }
    accepts(until(SystemTime::now()));
    accepts(until(after_9999 - Duration::from_secs(1)));
}

#[test]
fn changed_settings_leave_the_original_unchanged() {
    let settings = CookieSettings::default();
    let changed = settings.to_builder().name("sid").build().unwrap();
    assert_eq!((settings.name(), changed.name()), ("PYCKET_ID", "sid"));
}
