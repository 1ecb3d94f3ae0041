//! A store that is down, does not reply, or contains unreadable data.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pycket_testkit::servers::Server;
use serde_json::json;

use crate::client::{Client, Response};
use crate::program::Demo;
use crate::raw_redis::{command, cut_connections};

/// The maximum time until a client gets an error.
const MAX_WAIT: Duration = Duration::from_secs(3);

fn over(server: &Server) -> (Demo, Client) {
    let demo = Demo::start(&["--store", &server.url()]);
    let client = demo.client();
    client.put("/api/session/user", "\"ann\"").assert_status(204);
    (demo, client)
}

fn shows_id(text: &str, client: &Client) -> bool {
    text.contains(&client.id().expose()) || text.contains(&client.key()["pycket:".len()..])
}

/// Asserts that each route that uses the session soon returns a 503 that reveals nothing.
fn assert_is_unavailable(server: &Server, client: &Client) {
    let requests: [fn(&Client) -> Response; 5] = [
        |client| client.get("/api/session"),
        |client| client.put("/api/session/user", "\"bob\""),
        |client| client.increment("visits"),
        |client| client.post("/api/logout", ""),
        |client| client.get("/"),
    ];
    std::thread::scope(|scope| {
        for request in &requests {
            scope.spawn(|| {
                let start = Instant::now();
                let response = request(client);
                let took = start.elapsed();
                assert!(took < MAX_WAIT, "{took:?}");
                response.assert_status(503);
                assert_eq!(response.body, "the session store is not available\n");
                let all = format!("{response:?}");
                assert!(
                    !shows_id(&all, client) && !all.contains(&server.port().to_string()),
                    "{all}"
                );
                assert_eq!(response.headers["vary"], "cookie");
                assert!(response.set_cookie().is_none());
            });
        }
    });
    let health = client.get("/health");
    assert_eq!((health.status, &*health.body), (200, "ok"));
}

#[test]
fn killed_redis_is_a_503_until_it_restarts() {
    let server = Server::redis_persistent();
    let (demo, client) = over(&server);
    server.kill();
    assert_is_unavailable(&server, &client);
    demo.client().put("/api/session/user", "1").assert_status(503);
    assert_eq!(
        demo.client().get("/api/session").status,
        200,
        "a request without a cookie needs no store"
    );
    server.restart();
    assert_eq!(client.data(), json!({ "user": "ann" }));
    client.put("/api/session/user", "\"bob\"").assert_status(204);

    let log = demo.log();
    assert!(log.contains("ERROR"), "the outage is logged: {log}");
    assert!(!shows_id(&log, &client), "{log}");
}

#[test]
fn demo_starts_before_its_redis() {
    let server = Server::redis();
    server.kill();
    let demo = Demo::start(&["--store", &server.url()]);
    let client = demo.client();
    client.put("/api/session/user", "\"ann\"").assert_status(503);
    server.restart();
    client.put("/api/session/user", "\"ann\"").assert_status(204);
    assert_eq!(client.data(), json!({ "user": "ann" }));
}

#[test]
fn paused_redis_is_a_503_until_it_resumes() {
    let server = Server::redis();
    let (_demo, client) = over(&server);
    server.pause();
    assert_is_unavailable(&server, &client);
    server.resume();
    assert_eq!(client.data(), json!({ "user": "ann" }), "no write was half done");
    client.put("/api/session/user", "\"bob\"").assert_status(204);
}

#[test]
fn killed_memcached_is_a_503_until_it_restarts() {
    let server = Server::memcached();
    let (_demo, client) = over(&server);
    server.kill();
    assert_is_unavailable(&server, &client);
    server.restart();
    assert_eq!(client.data(), json!({}), "memcached keeps nothing over a restart");
    client.put("/api/session/user", "\"bob\"").assert_status(204);
    assert_eq!(client.data(), json!({ "user": "bob" }));
}

#[test]
fn paused_memcached_is_a_503_until_it_resumes() {
    let server = Server::memcached();
    let (_demo, client) = over(&server);
    server.pause();
    assert_is_unavailable(&server, &client);
    server.resume();
    assert_eq!(client.data(), json!({ "user": "ann" }), "no write was half done");
    client.put("/api/session/user", "\"bob\"").assert_status(204);
}

#[test]
fn connections_cut_between_requests_fail_no_request() {
    let server = Server::redis();
    let (demo, client) = over(&server);
    for n in 1..=5 {
        cut_connections(&server);
        client.put("/api/session/n", &n.to_string()).assert_status(204);
        cut_connections(&server);
        assert_eq!(client.get("/api/session/n").json(), json!(n));
        cut_connections(&server);
        assert_eq!(client.increment("count").json(), json!(n));
        cut_connections(&server);
        client.delete("/api/session/n").assert_status(204);
        cut_connections(&server);
        client.post("/api/login", "{\"user\": \"ann\"}").assert_status(204);
        cut_connections(&server);
        let other = demo.client();
        other.put("/api/session/user", "1").assert_status(204);
        cut_connections(&server);
        other.post("/api/logout", "").assert_status(204);
    }
    assert_eq!(client.data(), json!({ "user": "ann", "count": 5 }));
}

#[test]
fn connections_cut_under_load_fail_and_lose_no_write() {
    const THREADS: usize = 8;
    const EACH: usize = 40;
    let server = Server::redis();
    let (_demo, client) = over(&server);
    let done = AtomicUsize::new(0);
    let put_all = |thread: usize| {
        for n in 0..EACH {
            let path = format!("/api/session/name-{thread}-{n}");
            let put = client.put(&path, &n.to_string());
            done.fetch_add(1, Ordering::Relaxed);
            put.assert_status(204);
            assert!(put.set_cookie().is_none());
        }
    };
    let put_all = &put_all;
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|thread| scope.spawn(move || put_all(thread))).collect();
        // After this many responses, each request that the last cut interrupted is finished.
        for mark in (THREADS..THREADS * EACH).step_by(8 * THREADS) {
            let all_ended = || threads.iter().all(|thread| thread.is_finished());
            while done.load(Ordering::Relaxed) < mark && !all_ended() {
                std::thread::yield_now();
            }
            cut_connections(&server);
        }
    });
    assert_eq!(client.data().as_object().unwrap().len(), THREADS * EACH + 1);
}

#[test]
fn unreadable_record_is_a_500_and_never_overwritten() {
    let server = Server::redis();
    let corruptions: [&[&[u8]]; 4] = [
        &[b"SET", b"", b"another application's"],
        &[b"HSET", b"", b"user", b"\xa3ann"],
        &[b"HSET", b"", b"", b"garbage"],
        // A later version of the format.
        &[b"HSET", b"", b"", b"\x93\xcc\xc8\x00\xc0"],
    ];
    for corruption in corruptions {
        let (_demo, client) = over(&server);
        let key = client.key();
        let mut write = corruption.to_vec();
        write[1] = key.as_bytes();
        command(&server, &[b"DEL", key.as_bytes()]);
        command(&server, &write);
        let dump = command(&server, &[b"DUMP", key.as_bytes()]);
        for response in [
            client.get("/api/session"),
            client.put("/api/session/user", "1"),
            client.increment("user"),
            client.post("/api/login", "{\"user\": 1}"),
        ] {
            assert_eq!((response.status, &*response.body), (500, "the session cannot be used\n"));
            assert!(response.set_cookie().is_none());
        }
        let page = client.get("/");
        assert!(page.status == 500 && page.set_cookie().is_none(), "{page:?}");
        assert!(page.body.contains("Your session cannot be read"), "{}", page.body);
        assert_eq!(command(&server, &[b"DUMP", key.as_bytes()]), dump);
    }
}

#[test]
fn unreadable_value_affects_no_other_value() {
    let server = Server::redis();
    let (_demo, client) = over(&server);
    command(&server, &[b"HSET", client.key().as_bytes(), b"broken", b"\xc1"]);
    client.get("/api/session/broken").assert_status(500);
    assert_eq!(client.get("/api/session/user").json(), json!("ann"));
    assert!(client.get("/").body.contains("(not readable)"));
    client.put("/api/session/broken", "1").assert_status(204);
    assert_eq!(client.data()["broken"], json!(1));
}
