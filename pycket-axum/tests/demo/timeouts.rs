//! Idle and absolute timeouts in real time, with the shortest timeout that an argument can have.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::Client;
use crate::program::{Demo, redis};

/// The timeout, the second that a store may add, and the delays of a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

fn both(arguments: &[&str]) -> [Demo; 2] {
    let url = redis().url();
    let redis: Vec<_> = arguments.iter().copied().chain(["--store", &url]).collect();
    [Demo::start(arguments), Demo::start(&redis)]
}

/// Sends `request` until the session has ended.
fn wait_for_the_end(client: &Client, request: impl Fn(&Client)) -> Duration {
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        if client.get("/api/session").json()["new"] == json!(true) {
            return start.elapsed();
        }
        request(client);
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the session did not end within {LIMIT:?}");
}

#[test]
fn session_that_is_only_read_ends_at_its_idle_timeout() {
    let demos = both(&["--idle", "1"]);
    std::thread::scope(|scope| {
        for demo in &demos {
            scope.spawn(|| {
                let client = demo.client();
                let before = Instant::now();
                client.put("/api/session/user", "\"ann\"").assert_status(204);
                wait_for_the_end(&client, |client| drop(client.get("/api/session/user")));
                assert!(before.elapsed() >= Duration::from_secs(1));
                assert_eq!(client.data(), json!({}));
            });
        }
    });
}

#[test]
fn session_in_use_ends_at_its_absolute_timeout() {
    let demos = both(&["--absolute", "1"]);
    std::thread::scope(|scope| {
        for demo in &demos {
            scope.spawn(|| {
                let client = demo.client();
                let before = Instant::now();
                client.put("/api/session/user", "\"ann\"").assert_status(204);
                let cookie = client.cookie();
                wait_for_the_end(&client, |client| {
                    // Always with the first cookie, so that a new session does not look like the old one.
                    let tab = demo.client().with_cookie(client.cookie());
                    assert!(matches!(tab.increment("visits").status, 200 | 409));
                });
                assert!(before.elapsed() >= Duration::from_secs(1));
                assert_eq!(client.cookie(), cookie);
            });
        }
    });
}

#[test]
fn expires_in_is_the_earlier_of_idle_and_absolute_timeout() {
    let demos = both(&["--idle", "600", "--absolute", "300", "--renew", "access"]);
    for demo in demos {
        let client = demo.client();
        client.put("/api/session/user", "\"ann\"").assert_status(204);
        let expires_in = client.get("/api/session").json()["expires_in"].as_u64().unwrap();
        assert!((200..=300).contains(&expires_in), "{expires_in}");
    }
}
