//! Settings that cannot work are refused when the store is built, and the message says what to change.

use crate::*;

fn refused(builder: RedisStoreBuilder) -> String {
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSetting, "{error:?}");
    shown(&error)
}

fn builder() -> RedisStoreBuilder {
    RedisStore::builder("redis://127.0.0.1")
}

#[test]
fn every_form_of_a_url_is_taken() {
    for url in [
        "redis://127.0.0.1",
        "redis://127.0.0.1/",
        "redis://localhost:6380/3",
        "redis://[::1]:6380/3",
        "redis://user:password@redis.example/3",
        "redis://:password@redis.example",
        "redis+unix:///run/redis.sock?db=3",
        "unix:///run/redis.sock",
        "valkey://127.0.0.1",
    ] {
        assert!(RedisStore::builder(url).build().is_ok(), "{url}");
    }
}

#[test]
fn a_url_that_is_none_is_refused_without_repeating_its_password() {
    for url in [
        "",
        "sesame",
        "localhost:6379/sesame",
        "http://:sesame@localhost",
        "redis://:sesame@",
        "redis://:sesame@localhost:port",
        "redis://:sesame@localhost:99999",
        "redis://:sesame@localhost/sesame",
        "redis://:sesame@local host",
        "redis://:sesame@[::1",
        "redis://:sesame%ff@localhost",
        "redis://sesame%ff:sesame@localhost",
        "redis://:sesame@localhost?protocol=sesame",
        "redis+unix://?pass=sesame",
    ] {
        let message = refused(RedisStore::builder(url));
        assert!(message.contains("redis://"), "{message}");
        assert!(!message.contains("sesame"), "{url}: {message}");
    }
}

#[test]
fn tls_is_refused_by_name() {
    for url in ["rediss://:sesame@localhost", "REDISS://:sesame@localhost/1", "valkeys://localhost"]
    {
        let message = refused(RedisStore::builder(url));
        assert!(message.contains("TLS"), "{url}: {message}");
        assert!(!message.contains("sesame"), "{message}");
    }
}

#[test]
fn the_number_of_connections_is_one_to_a_thousand() {
    for number in [0, 1001, usize::MAX] {
        assert!(refused(builder().max_connections(number)).contains("`max_connections`"));
    }
    for number in [1, 1000] {
        assert!(builder().max_connections(number).build().is_ok());
    }
}

#[test]
fn a_timeout_of_zero_is_refused_and_the_longest_is_taken() {
    assert!(refused(builder().connect_timeout(Duration::ZERO)).contains("`connect_timeout`"));
    assert!(refused(builder().response_timeout(Duration::ZERO)).contains("`response_timeout`"));
    let longest = patient(shared()).connect_timeout(Duration::MAX).response_timeout(Duration::MAX);
    let store = longest.build().unwrap();
    assert_eq!(pycket_testkit::block_on(kinds(&store)), [None; 4]);
}

#[test]
fn the_defaults_are_as_documented() {
    let defaults = builder();
    let shown = format!("{defaults:?}");
    for setting in [
        "prefix: \"pycket:\"",
        "db_sessions: None",
        "db_notifications: 1",
        "max_connections: 1",
        "connect: 1s",
        "response: 1s",
    ] {
        assert!(shown.contains(setting), "{shown}");
    }
}
