//! Settings files: of the cookie, of the timeouts, of Redis, and of memcached.
//!
//! A cookie with accepted settings is one that browsers and the library read again. No error shows a password.

use std::time::Duration;

use cookie::Cookie;
use pycket_cookie::{CookieSettings, KeyRing, SessionCookie};
use pycket_core::{Expiry, MemoryStore, SessionManager};
use pycket_memcache::MemcacheStoreBuilder;
use pycket_redis::RedisStoreBuilder;

use crate::cookie_header::{CURRENT, is_found};
use crate::parts::{assert_hidden, id};

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(settings) = toml::from_str::<CookieSettings>(text) {
        check_cookie(settings, toml::from_str(text).unwrap());
    }
    if let Ok(expiry) = toml::from_str::<Expiry>(text) {
        SessionManager::builder(MemoryStore::new()).expiry(expiry).build().unwrap();
    }
    let built = toml::from_str::<MemcacheStoreBuilder>(text).map(MemcacheStoreBuilder::build);
    drop(built);
    let password =
        toml::from_str::<Password>(text).map_or_else(|_| String::new(), |it| it.password);
    let assert_hidden = |text: &str| assert_hidden(&password, b"_ ", text);
    match toml::from_str::<RedisStoreBuilder>(text) {
        Ok(builder) => {
            assert_hidden(&format!("{builder:?}"));
            if let Err(error) = builder.build() {
                assert_hidden(&error.to_string());
            }
        }
        Err(error) => assert_hidden(error.message()),
    }
}

#[derive(serde::Deserialize)]
struct Password {
    password: String,
}

/// What the file says of the cookie.
#[derive(serde::Deserialize)]
struct Attributes {
    path: Option<String>,
    domain: Option<String>,
}

fn check_cookie(settings: CookieSettings, expected: Attributes) {
    assert_eq!(settings.to_builder().build().unwrap(), settings);
    let name = settings.name().to_owned();
    let cookie = SessionCookie::new(settings, &KeyRing::new(CURRENT).unwrap());
    let issued = cookie.issue(&id(), Duration::from_secs(60));
    let removal = cookie.removal();
    for text in [&issued, &removal] {
        assert!(text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{text}");
    }
    let read = Cookie::parse(issued.as_str()).unwrap();
    let removed = Cookie::parse(removal.as_str()).unwrap();
    assert_eq!(read.name(), name);
    let Attributes { path, domain } = expected;
    // Browsers ignore the dot, and so do the settings.
    let domain = domain.as_deref().map(|domain| domain.strip_prefix('.').unwrap_or(domain));
    for cookie in [&read, &removed] {
        assert_eq!(cookie.path(), path.as_deref().or(Some("/")));
        assert_eq!(cookie.domain(), domain);
    }
    assert_eq!(read.same_site(), removed.same_site());
    assert_eq!(removed.value(), "");
    let sent_back = issued.split(';').next().unwrap();
    assert!(is_found(&cookie.read([sent_back.as_bytes()])), "{sent_back}");
}
