//! A store that is not there, does not answer, or holds something else.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pycket_testkit::Server;
use serde_json::json;

use crate::program::Demo;
use crate::raw_redis::{ask, cut_connections};
use crate::visitor::{Answer, Visitor};

/// What a visitor waits for at most before being told that it does not work.
const PATIENCE: Duration = Duration::from_secs(3);

fn over(server: &Server) -> (Demo, Visitor) {
    let demo = Demo::start(&["--store", &server.url()]);
    let visitor = demo.visitor();
    visitor.put("/api/session/user", "\"ann\"").assert_status(204);
    (demo, visitor)
}

fn key(visitor: &Visitor) -> String {
    let cookie = visitor.cookie().unwrap();
    format!("pycket:sessions:{}", &cookie[cookie.len() - 36..])
}

/// Every route that uses the session is a 503 that tells a stranger nothing, and soon.
fn assert_is_out_of_order(server: &Server, visitor: &Visitor) {
    let requests: [fn(&Visitor) -> Answer; 5] = [
        |visitor| visitor.get("/api/session"),
        |visitor| visitor.put("/api/session/user", "\"bob\""),
        |visitor| visitor.increment("visits"),
        |visitor| visitor.post("/api/logout", ""),
        |visitor| visitor.get("/"),
    ];
    let id = key(visitor).split_off("pycket:sessions:".len());
    std::thread::scope(|scope| {
        for request in &requests {
            scope.spawn(|| {
                let asked = Instant::now();
                let answer = request(visitor);
                let took = asked.elapsed();
                assert!(took < PATIENCE, "{took:?}");
                answer.assert_status(503);
                assert_eq!(answer.body, "the session store is not available\n");
                let all = format!("{answer:?}");
                assert!(!all.contains(&id) && !all.contains(&server.port().to_string()), "{all}");
                assert_eq!(answer.headers["vary"], "cookie");
                assert!(answer.set_cookie().is_none());
            });
        }
    });
    let health = visitor.get("/health");
    assert_eq!((health.status, &*health.body), (200, "ok"));
}

#[test]
fn a_redis_that_was_killed_is_a_503_and_one_that_is_back_is_used_at_once() {
    let server = Server::redis_persistent();
    let (demo, visitor) = over(&server);
    server.kill();
    assert_is_out_of_order(&server, &visitor);
    demo.visitor().put("/api/session/user", "1").assert_status(503);
    assert_eq!(demo.visitor().get("/api/session").status, 200, "a first visit needs no store");
    server.restart();
    assert_eq!(visitor.data(), json!({ "user": "ann" }));
    visitor.put("/api/session/user", "\"bob\"").assert_status(204);

    let log = demo.log();
    assert!(log.contains("ERROR"), "the operator learns of it: {log}");
    assert!(!log.contains(&key(&visitor)["pycket:sessions:".len()..]), "{log}");
}

#[test]
fn a_demo_may_start_before_its_redis() {
    let server = Server::redis();
    server.kill();
    let demo = Demo::start(&["--store", &server.url()]);
    let visitor = demo.visitor();
    visitor.put("/api/session/user", "\"ann\"").assert_status(503);
    server.restart();
    visitor.put("/api/session/user", "\"ann\"").assert_status(204);
    assert_eq!(visitor.data(), json!({ "user": "ann" }));
}

#[test]
fn a_redis_that_never_answers_is_a_503_and_one_that_goes_on_is_used_at_once() {
    let server = Server::redis();
    let (_demo, visitor) = over(&server);
    server.pause();
    assert_is_out_of_order(&server, &visitor);
    server.resume();
    assert_eq!(visitor.data(), json!({ "user": "ann" }), "and nothing was half done");
    visitor.put("/api/session/user", "\"bob\"").assert_status(204);
}

#[test]
fn a_memcached_that_was_killed_is_a_503_and_one_that_is_back_is_used_at_once() {
    let server = Server::memcached();
    let (_demo, visitor) = over(&server);
    server.kill();
    assert_is_out_of_order(&server, &visitor);
    server.restart();
    assert_eq!(visitor.data(), json!({}), "it keeps nothing over a restart");
    visitor.put("/api/session/user", "\"bob\"").assert_status(204);
    assert_eq!(visitor.data(), json!({ "user": "bob" }));
}

#[test]
fn a_memcached_that_never_answers_is_a_503_and_one_that_goes_on_is_used_at_once() {
    let server = Server::memcached();
    let (_demo, visitor) = over(&server);
    server.pause();
    assert_is_out_of_order(&server, &visitor);
    server.resume();
    assert_eq!(visitor.data(), json!({ "user": "ann" }), "and nothing was half done");
    visitor.put("/api/session/user", "\"bob\"").assert_status(204);
}

#[test]
fn connections_that_are_cut_between_requests_fail_none() {
    let server = Server::redis();
    let (demo, visitor) = over(&server);
    for n in 1..=5 {
        cut_connections(&server);
        visitor.put("/api/session/n", &n.to_string()).assert_status(204);
        cut_connections(&server);
        assert_eq!(visitor.get("/api/session/n").json(), json!(n));
        cut_connections(&server);
        assert_eq!(visitor.increment("count").json(), json!(n));
        cut_connections(&server);
        visitor.delete("/api/session/n").assert_status(204);
        cut_connections(&server);
        visitor.post("/api/login", "{\"user\": \"ann\"}").assert_status(204);
        cut_connections(&server);
        let other = demo.visitor();
        other.put("/api/session/user", "1").assert_status(204);
        cut_connections(&server);
        other.post("/api/logout", "").assert_status(204);
    }
    assert_eq!(visitor.data(), json!({ "user": "ann", "count": 5 }));
}

#[test]
fn connections_that_are_cut_under_load_fail_no_write_and_lose_none() {
    const THREADS: usize = 8;
    const EACH: usize = 40;
    let server = Server::redis();
    let (_demo, visitor) = over(&server);
    let done = AtomicUsize::new(0);
    let put_all = |thread: usize| {
        for n in 0..EACH {
            let path = format!("/api/session/name-{thread}-{n}");
            let put = visitor.put(&path, &n.to_string());
            done.fetch_add(1, Ordering::Relaxed);
            put.assert_status(204);
            assert!(put.set_cookie().is_none());
        }
    };
    let put_all = &put_all;
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|thread| scope.spawn(move || put_all(thread))).collect();
        // After so many answers, every request that the last cut has hit is through.
        for mark in (THREADS..THREADS * EACH).step_by(8 * THREADS) {
            let all_ended = || threads.iter().all(|thread| thread.is_finished());
            while done.load(Ordering::Relaxed) < mark && !all_ended() {
                std::thread::yield_now();
            }
            cut_connections(&server);
        }
    });
    assert_eq!(visitor.data().as_object().unwrap().len(), THREADS * EACH + 1);
}

#[test]
fn a_record_that_is_not_one_is_an_error_and_is_never_overwritten() {
    let server = Server::redis();
    let corruptions: [&[&[u8]]; 4] = [
        &[b"SET", b"", b"another application's"],
        &[b"HSET", b"", b"user", b"\xa3ann"],
        &[b"HSET", b"", b"", b"garbage"],
        // A version that comes after this one.
        &[b"HSET", b"", b"", b"\x93\xcc\xc8\x00\xc0"],
    ];
    for corruption in corruptions {
        let (_demo, visitor) = over(&server);
        let key = key(&visitor);
        let mut write = corruption.to_vec();
        write[1] = key.as_bytes();
        ask(&server, &[b"DEL", key.as_bytes()]);
        ask(&server, &write);
        let dump = ask(&server, &[b"DUMP", key.as_bytes()]);
        for answer in [
            visitor.get("/api/session"),
            visitor.get("/"),
            visitor.put("/api/session/user", "1"),
            visitor.increment("user"),
            visitor.post("/api/login", "{\"user\": 1}"),
            visitor.post("/api/logout", ""),
        ] {
            assert_eq!((answer.status, &*answer.body), (500, "the session cannot be used\n"));
            assert!(answer.set_cookie().is_none());
        }
        assert_eq!(ask(&server, &[b"DUMP", key.as_bytes()]), dump);
    }
}

#[test]
fn a_value_that_cannot_be_read_harms_no_other() {
    let server = Server::redis();
    let (_demo, visitor) = over(&server);
    ask(&server, &[b"HSET", key(&visitor).as_bytes(), b"broken", b"\xc1"]);
    visitor.get("/api/session/broken").assert_status(500);
    assert_eq!(visitor.get("/api/session/user").json(), json!("ann"));
    assert!(visitor.get("/").body.contains("(not readable)"));
    visitor.put("/api/session/broken", "1").assert_status(204);
    assert_eq!(visitor.data()["broken"], json!(1));
}
