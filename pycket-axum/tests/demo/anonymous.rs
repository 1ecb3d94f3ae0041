//! Visitors who store nothing.

use std::sync::atomic::{AtomicUsize, Ordering};

use pycket_testkit::Server;

use crate::program::Demo;
use crate::raw_redis::ask;

#[test]
fn ten_thousand_requests_that_store_nothing_leave_nothing_in_redis_and_set_no_cookie() {
    const REQUESTS: usize = 10_000;
    let server = Server::redis();
    let demo = Demo::start(&["--store", &server.url()]);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let visitor = demo.visitor();
                while let n @ 0..REQUESTS = next.fetch_add(1, Ordering::Relaxed) {
                    let answer = match n % 10 {
                        0 => visitor.get("/"),
                        1 => visitor.delete("/api/session/user"),
                        2 => visitor.post("/api/logout", ""),
                        3 => visitor.put("/api/session/user", "not JSON"),
                        _ => visitor.get("/api/session"),
                    };
                    assert!(answer.status < 500 && answer.set_cookie().is_none(), "{answer:?}");
                }
            });
        }
    });
    assert_eq!(ask(&server, &[b"DBSIZE"]), "0");
}
