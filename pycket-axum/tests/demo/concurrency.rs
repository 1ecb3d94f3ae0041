//! Many requests of one visitor at the same time.

use std::sync::Barrier;

use serde_json::json;

use crate::program::{Demo, one_of_each_store, redis};
use crate::visitor::{Answer, Visitor};

const MANY: usize = 64;

/// Starts all at the same moment, each by another of the visitors in turn.
fn at_once(visitors: &[&Visitor], ask: impl Fn(&Visitor, usize) -> Answer + Sync) -> Vec<Answer> {
    let start = Barrier::new(MANY);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..MANY)
            .map(|n| {
                let (start, ask) = (&start, &ask);
                scope.spawn(move || {
                    start.wait();
                    ask(visitors[n % visitors.len()], n)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// `visitors` stand for one visitor of several servers.
fn assert_puts_all_survive(visitors: &[&Visitor]) {
    let answers = at_once(visitors, |visitor, n| {
        visitor.put(&format!("/api/session/name-{n}"), &n.to_string())
    });
    for answer in answers {
        answer.assert_status(204);
        assert!(answer.set_cookie().is_none());
    }
    let data = visitors[0].data();
    for n in 0..MANY {
        assert_eq!(data[format!("name-{n}")], json!(n));
    }
}

fn assert_increments_all_count(visitors: &[&Visitor]) {
    let answers = at_once(visitors, |visitor, _| visitor.increment("count"));
    let mut counts: Vec<_> = answers
        .iter()
        .map(|answer| {
            answer.assert_status(200);
            answer.json().as_u64().unwrap()
        })
        .collect();
    counts.sort_unstable();
    assert_eq!(counts, (1..=MANY as u64).collect::<Vec<_>>(), "each is answered with its own");
    assert_eq!(visitors[0].data()["count"], json!(MANY));
}

fn signed_in(demo: &Demo) -> Visitor {
    let visitor = demo.visitor();
    visitor.put("/api/session/user", "\"ann\"").assert_status(204);
    visitor
}

#[test]
fn puts_of_different_names_at_once_are_all_there() {
    for demo in one_of_each_store() {
        assert_puts_all_survive(&[&signed_in(&demo)]);
    }
}

#[test]
fn increments_at_once_all_count() {
    for demo in one_of_each_store() {
        assert_increments_all_count(&[&signed_in(&demo)]);
    }
}

#[test]
fn two_servers_over_one_redis_lose_nothing_of_a_visitor_of_both() {
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
    assert_eq!(at_one.data(), json!({}), "a logout at one server holds at the other");
}

#[test]
fn a_logout_among_writes_is_final() {
    for demo in one_of_each_store() {
        let visitor = signed_in(&demo);
        let cookie = visitor.cookie();
        // Each a tab with the cookie of before the logout, whatever answer comes first.
        at_once(&[&visitor], |_, n| {
            let tab = demo.visitor().with_cookie(cookie.clone());
            let answer = match n {
                0 => tab.post("/api/logout", ""),
                _ => tab.put(&format!("/api/session/name-{n}"), "1"),
            };
            // A write either comes before the logout, or begins a session of its own, or is told that
            // its session has ended.
            assert!(n > 0 && answer.status == 409 || answer.status == 204, "{answer:?}");
            answer
        });
        assert_eq!(demo.visitor().with_cookie(cookie).data(), json!({}));
    }
}
