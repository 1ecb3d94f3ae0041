//! Clients that store nothing.

use std::sync::atomic::{AtomicUsize, Ordering};

use pycket_testkit::servers::Server;

use crate::client::Client;
use crate::program::Demo;
use crate::raw_redis::command;

#[test]
fn requests_that_store_nothing_leave_no_record_and_no_cookie() {
    const REQUESTS: usize = 10_000;
    let server = Server::redis();
    let demo = Demo::start(&["--store", &server.url()]);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let client = Client::with_keep_alive(demo.url());
                while let n @ 0..REQUESTS = next.fetch_add(1, Ordering::Relaxed) {
                    let response = match n % 10 {
                        0 => client.get("/"),
                        1 => client.delete("/api/session/user"),
                        2 => client.post("/api/logout", ""),
                        3 => client.put("/api/session/user", "not JSON"),
                        _ => client.get("/api/session"),
                    };
                    assert!(
                        response.status < 500 && response.set_cookie().is_none(),
                        "{response:?}"
                    );
                }
            });
        }
    });
    assert_eq!(command(&server, &[b"DBSIZE"]), "0");
}
