//! Settings that cannot work are refused when the store is built, and the error says what to change.

use pycket_testkit::block_on;

use crate::*;

fn refused(builder: MemcacheStoreBuilder) -> String {
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSetting, "{error:?}");
    shown(&error)
}

fn builder() -> MemcacheStoreBuilder {
    MemcacheStore::builder()
}

#[test]
fn every_form_of_a_server_address_is_accepted() {
    for server in [
        "localhost",
        "localhost:11211",
        "127.0.0.1",
        "127.0.0.1:1",
        "[::1]",
        "[::1]:65535",
        "cache-1.example.com:11212",
        "cache_1",
    ] {
        assert!(builder().servers([server]).build().is_ok(), "{server}");
    }
}

#[test]
fn invalid_server_address_is_refused() {
    for server in [
        "",
        ":11211",
        "localhost:",
        "localhost:0",
        "localhost:65536",
        "localhost:+1",
        "localhost:port",
        "local host",
        "::1",
        "[::1",
        "[localhost]",
        "[::1]11211",
        "memcached://localhost",
        "user@localhost",
        "a,b",
    ] {
        assert!(refused(builder().servers([server])).contains("host:port"), "{server}");
    }
}

#[test]
fn host_may_be_called_unix() {
    for server in ["unix", "unix:11211"] {
        assert!(MemcacheStore::builder().servers([server]).build().is_ok(), "{server}");
    }
}

#[test]
fn unix_socket_is_refused_and_the_error_says_so() {
    for server in ["/run/memcached.sock", "unix:/run/memcached.sock"] {
        assert!(refused(builder().servers([server])).contains("Unix socket"));
    }
}

#[test]
fn empty_server_list_and_duplicate_servers_are_refused() {
    assert!(refused(builder().servers([""; 0])).contains("at least one"));
    for servers in [["a", "a:11211"], ["A", "a"], ["[::1]", "[::1]:11211"]] {
        assert!(refused(builder().servers(servers)).contains("once"));
    }
    assert!(builder().servers(["a:1", "a:2"]).build().is_ok());
}

#[test]
fn prefix_that_memcached_does_not_allow_is_refused() {
    for prefix in
        ["a b", "a\tb", "a\r\nb", "a\0", "\u{7f}", "a\u{a0}b", "a\u{2028}", &"a".repeat(201)]
    {
        assert!(refused(builder().prefix(prefix)).contains("`prefix`"), "{prefix:?}");
    }
}

#[test]
fn every_other_prefix_works() {
    for prefix in ["", "a", "a:b/c", "grüße:", "日本:", "{a}", &"a".repeat(200), &"ü".repeat(100)]
    {
        let store = slow_builder(shared()).prefix(prefix).build().unwrap();
        assert_eq!(block_on(kinds(&store)), [None; 5], "{prefix:?}");
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
fn max_response_bytes_is_one_mebibyte_to_one_gibibyte() {
    for number in [0, (1 << 20) - 1, (1 << 30) + 1, usize::MAX] {
        assert!(refused(builder().max_response_bytes(number)).contains("`max_response_bytes`"));
    }
    for number in [1 << 20, 1 << 30] {
        assert!(builder().max_response_bytes(number).build().is_ok());
    }
}

#[test]
fn timeout_of_zero_is_refused_and_the_longest_works() {
    let zero = Duration::ZERO;
    assert!(refused(builder().connect_timeout(zero)).contains("`connect_timeout`"));
    assert!(refused(builder().response_timeout(zero)).contains("`response_timeout`"));
    assert!(refused(builder().deadline(zero)).contains("`deadline`"));
    let longest = Duration::MAX;
    let store = slow_builder(shared()).connect_timeout(longest).response_timeout(longest);
    let store = store.deadline(longest).build().unwrap();
    assert_eq!(block_on(kinds(&store)), [None; 5]);
}

#[test]
fn defaults_are_as_documented() {
    let defaults = builder();
    let shown = format!("{defaults:?}");
    for setting in [
        "servers: [\"localhost\"]",
        "prefix: \"pycket:\"",
        "max_connections: 1,",
        "max_response_bytes: 67108864",
        "connect_timeout: 1s",
        "response_timeout: 1s",
        "deadline: 5s",
    ] {
        assert!(shown.contains(setting), "{shown}");
    }
    let store = format!("{:?}", defaults.build().unwrap());
    assert!(store.contains("[\"localhost:11211\"]"), "{store}");
}
