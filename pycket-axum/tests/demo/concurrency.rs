//! Many concurrent requests of one client.

use std::sync::Barrier;

use serde_json::json;

use crate::client::{Client, Response};
use crate::program::{Demo, one_of_each_store, redis};

const REQUESTS: usize = 64;

/// Sends many requests at the same moment, from each of the clients in turn.
fn send_concurrently(
    clients: &[&Client],
    request: impl Fn(&Client, usize) -> Response + Sync,
) -> Vec<Response> {
    let start = Barrier::new(REQUESTS);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..REQUESTS)
            .map(|n| {
                let (start, request) = (&start, &request);
                scope.spawn(move || {
                    start.wait();
                    request(clients[n % clients.len()], n)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// All `clients` share one session, at several servers.
fn assert_puts_all_survive(clients: &[&Client]) {
    let responses = send_concurrently(clients, |client, n| {
        client.put(&format!("/api/session/name-{n}"), &n.to_string())
    });
    for response in responses {
        response.assert_status(204);
        assert!(response.set_cookie().is_none());
    }
    let data = clients[0].data();
    for n in 0..REQUESTS {
        assert_eq!(data[format!("name-{n}")], json!(n));
    }
}

fn assert_increments_all_count(clients: &[&Client]) {
    let responses = send_concurrently(clients, |client, _| client.increment("count"));
    let mut counts: Vec<_> = responses
        .iter()
        .map(|response| {
            response.assert_status(200);
            response.json().as_u64().unwrap()
        })
        .collect();
    counts.sort_unstable();
    assert_eq!(
        counts,
        (1..=REQUESTS as u64).collect::<Vec<_>>(),
        "each response has a number of its own"
    );
    assert_eq!(clients[0].data()["count"], json!(REQUESTS));
}

fn signed_in(demo: &Demo) -> Client {
    let client = demo.client();
    client.put("/api/session/user", "\"ann\"").assert_status(204);
    client
}

#[test]
fn concurrent_puts_of_different_names_are_all_kept() {
    for demo in one_of_each_store() {
        assert_puts_all_survive(&[&signed_in(&demo)]);
    }
}

#[test]
fn concurrent_increments_all_count() {
    for demo in one_of_each_store() {
        assert_increments_all_count(&[&signed_in(&demo)]);
    }
}

#[test]
fn two_servers_on_one_redis_lose_no_write_of_one_client() {
    let directory = tempfile::tempdir().unwrap();
    let key_file = directory.path().join("key");
    let (store, key_file) = (redis().url(), key_file.to_str().unwrap());
    let arguments = ["--store", &store, "--key-file", key_file];
    let [one, two] = [Demo::start(&arguments), Demo::start(&arguments)];
    let at_one = signed_in(&one);
    let at_two = at_one.at(two.url());
    assert_puts_all_survive(&[&at_one, &at_two]);
    assert_increments_all_count(&[&at_one, &at_two]);
    assert_eq!(at_two.data(), at_one.data());

    at_two.post("/api/logout", "").assert_status(204);
    assert_eq!(at_one.data(), json!({}), "a logout at one server ends the session at the other");
}

#[test]
fn logout_among_concurrent_writes_is_final() {
    for demo in one_of_each_store() {
        let client = signed_in(&demo);
        let cookie = client.cookie();
        // Each request has the cookie from before the logout, as if from a tab of its own.
        send_concurrently(&[&client], |_, n| {
            let tab = demo.client().with_cookie(cookie.clone());
            let response = match n {
                0 => tab.post("/api/logout", ""),
                _ => tab.put(&format!("/api/session/name-{n}"), "1"),
            };
            // A write comes before the logout, creates a new session, or gets a 409 because its session has
            // ended.
            assert!(n > 0 && response.status == 409 || response.status == 204, "{response:?}");
            response
        });
        assert_eq!(demo.client().with_cookie(cookie).data(), json!({}));
    }
}
