//! Time itself: these tests take as long as the shortest life that can be asked for.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::program::{Demo, redis};
use crate::visitor::Visitor;

/// What was asked for, the second that a store may take longer, and a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

fn both(arguments: &[&str]) -> [Demo; 2] {
    let url = redis().url();
    let redis: Vec<_> = arguments.iter().copied().chain(["--store", &url]).collect();
    [Demo::start(arguments), Demo::start(&redis)]
}

/// Asks again and again, until the session is a new one.
fn wait_for_the_end(visitor: &Visitor, ask: impl Fn(&Visitor)) -> Duration {
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        if visitor.get("/api/session").json()["new"] == json!(true) {
            return start.elapsed();
        }
        ask(visitor);
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the session did not end within {LIMIT:?}");
}

#[test]
fn a_session_that_nobody_changes_ends_after_its_idle_time_however_often_it_is_read() {
    let demos = both(&["--idle", "1"]);
    std::thread::scope(|scope| {
        for demo in &demos {
            scope.spawn(|| {
                let visitor = demo.visitor();
                let before = Instant::now();
                visitor.put("/api/session/user", "\"ann\"").assert_status(204);
                wait_for_the_end(&visitor, |visitor| drop(visitor.get("/api/session/user")));
                assert!(before.elapsed() >= Duration::from_secs(1));
                assert_eq!(visitor.data(), json!({}));
            });
        }
    });
}

#[test]
fn a_session_ends_at_its_absolute_end_however_busy_it_is() {
    let demos = both(&["--absolute", "1"]);
    std::thread::scope(|scope| {
        for demo in &demos {
            scope.spawn(|| {
                let visitor = demo.visitor();
                let before = Instant::now();
                visitor.put("/api/session/user", "\"ann\"").assert_status(204);
                let cookie = visitor.cookie();
                wait_for_the_end(&visitor, |visitor| {
                    // With the first cookie always, so that no new session is taken for the old one.
                    let tab = demo.visitor().with_cookie(visitor.cookie());
                    assert!(matches!(tab.increment("visits").status, 200 | 409));
                });
                assert!(before.elapsed() >= Duration::from_secs(1));
                assert_eq!(visitor.cookie(), cookie);
            });
        }
    });
}

#[test]
fn the_idle_time_and_the_absolute_end_are_what_a_visitor_is_told() {
    let demos = both(&["--idle", "600", "--absolute", "300", "--renew", "access"]);
    for demo in demos {
        let visitor = demo.visitor();
        visitor.put("/api/session/user", "\"ann\"").assert_status(204);
        let expires_in = visitor.get("/api/session").json()["expires_in"].as_u64().unwrap();
        assert!((200..=300).contains(&expires_in), "{expires_in}");
    }
}
