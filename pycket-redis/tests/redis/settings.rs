//! `build` refuses settings that cannot work, and the message says what to change.

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
fn every_form_of_url_is_accepted() {
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
fn url_with_a_line_end_inside_is_refused_and_at_its_end_accepted() {
    for url in ["redis:\n//a,b", "redis://a\nb", "redis://u:p\tw@a"] {
        let message = refused(RedisStore::builder(url));
        assert!(message.contains("the end of a line"), "{message}");
    }
    assert!(RedisStore::builder("redis://a,b\n").build().is_ok());
}

#[test]
fn invalid_url_is_an_error_that_does_not_show_the_password() {
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
fn tls_url_without_the_feature_names_the_feature() {
    for url in ["rediss://:sesame@localhost", "REDISS://:sesame@localhost/1", "valkeys://localhost"]
    {
        let builder = RedisStore::builder(url);
        if cfg!(feature = "tls") {
            assert!(builder.build().is_ok(), "{url}");
        } else {
            let message = refused(builder);
            assert!(message.contains("the feature `tls`"), "{message}");
            assert!(!message.contains("sesame"), "{message}");
        }
    }
}

#[test]
fn cluster_and_sentinel_urls_work_without_a_feature() {
    for url in [
        "redis+cluster://:sesame@localhost",
        "redis://:sesame@one,redis://:sesame@two",
        "redis://:sesame@one:1,two:2",
        "redis+sentinel://localhost",
        "redis+sentinel://:sesame@one:1,two/service",
        "redis+sentinel://user:sesame@one,two/service/3",
    ] {
        assert!(RedisStore::builder(url).build().is_ok(), "{url}");
    }
}

#[test]
fn invalid_cluster_url_is_an_error_that_shows_the_form() {
    for url in [
        "redis+cluster://:sesame@",
        "redis+cluster://:sesame@one,",
        "redis+cluster://:sesame@one:port,two",
        "redis+cluster://:sesame@one,two?protocol=sesame",
        "redis://:sesame@one,redis://:sesame@two:port",
    ] {
        let message = refused(RedisStore::builder(url));
        assert!(message.contains("redis+cluster://"), "{url}: {message}");
        assert!(!message.contains("sesame"), "{message}");
    }
}

#[test]
fn database_number_for_a_cluster_is_an_error() {
    let url = "redis+cluster://one,two";
    assert!(
        refused(RedisStore::builder(&format!("{url}/3"))).contains("remove the database number")
    );
    assert!(refused(RedisStore::builder(url).db_sessions(3)).contains("`db_sessions`"));
    for builder in [RedisStore::builder(&format!("{url}/0")), RedisStore::builder(url)] {
        assert!(builder.db_sessions(0).db_notifications(1).build_with_notifications().is_ok());
    }
}

#[test]
fn invalid_sentinel_url_is_an_error_that_shows_the_form() {
    for url in [
        "redis+sentinel://:sesame@",
        "redis+sentinel://one,:sesame@/service",
        "redis+sentinel://:sesame@one:port/service",
        "redis+sentinel://:sesame@one/service/sesame",
        "redis+sentinel://:sesame@one,two/service?protocol=sesame",
    ] {
        let message = refused(RedisStore::builder(url));
        assert!(message.contains("redis+sentinel://"), "{url}: {message}");
        assert!(!message.contains("sesame"), "{message}");
    }
}

#[test]
fn password_may_contain_commas() {
    assert!(RedisStore::builder("redis://:open,sesame@localhost").build().is_ok());
}

#[test]
fn wait_replicas_needs_a_limit_below_the_response_timeout() {
    let millis = Duration::from_millis;
    let limited = || builder().response_timeout(millis(100));
    for (count, limit) in [(0, 50), (1, 0), (1, 100), (1, 101)] {
        let message = refused(limited().wait_replicas(count, millis(limit)));
        assert!(message.contains("`wait_replicas`"), "{message}");
    }
    for (count, limit) in [(1, 1), (1, 99), (u32::MAX, 99)] {
        assert!(limited().wait_replicas(count, millis(limit)).build().is_ok());
    }
}

#[test]
fn max_connections_is_one_to_a_thousand() {
    for number in [0, 1001, usize::MAX] {
        assert!(refused(builder().max_connections(number)).contains("`max_connections`"));
    }
    for number in [1, 1000] {
        assert!(builder().max_connections(number).build().is_ok());
    }
}

#[test]
fn max_response_bytes_is_one_to_512_mebibytes() {
    for number in [0, (1 << 20) - 1, (512 << 20) + 1] {
        assert!(refused(builder().max_response_bytes(number)).contains("`max_response_bytes`"));
    }
    for number in [1 << 20, 512 << 20] {
        assert!(builder().max_response_bytes(number).build().is_ok());
    }
}

#[test]
fn timeout_of_zero_is_an_error_and_the_longest_is_accepted() {
    assert!(refused(builder().connect_timeout(Duration::ZERO)).contains("`connect_timeout`"));
    assert!(refused(builder().response_timeout(Duration::ZERO)).contains("`response_timeout`"));
    let longest = patient(shared()).connect_timeout(Duration::MAX).response_timeout(Duration::MAX);
    let store = longest.build().unwrap();
    assert_eq!(pycket_testkit::block_on(kinds(&store)), [None; 4]);
}

#[test]
fn defaults_are_as_documented() {
    let defaults = builder();
    let shown = format!("{defaults:?}");
    for setting in [
        "prefix: \"pycket:\"",
        "db_sessions: None",
        "db_notifications: 1",
        "max_connections: 1",
        "max_response_bytes: 67108864",
        "connect: 1s",
        "response: 1s",
        "deadline: 2s",
        "replica_acks: None",
    ] {
        assert!(shown.contains(setting), "{shown}");
    }
}
