//! The memcached driver keeps the contract of `SessionStore`, with one real server and with three.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use pycket_core::SessionStore;
use pycket_memcache::MemcacheStore;
use pycket_testkit::servers::Server;
use pycket_testkit::{Harness, Time};

/// This many servers share the sessions.
#[derive(Debug)]
struct Memcached(usize);

#[async_trait]
impl Harness for Memcached {
    async fn open(&self, namespace: &str) -> Arc<dyn SessionStore> {
        static SERVERS: OnceLock<[Server; 3]> = OnceLock::new();
        let servers = SERVERS.get_or_init(|| [(); 3].map(|()| Server::memcached()));
        let servers = servers.iter().take(self.0).map(|server| server.address().to_string());
        store(servers, namespace)
    }

    fn time(&self) -> Time {
        Time::Real
    }

    async fn unreachable(&self) -> Option<Arc<dyn SessionStore>> {
        Some(store((1..=self.0).map(|port| format!("127.0.0.1:{port}")), "unreachable"))
    }
}

fn store(servers: impl Iterator<Item = String>, namespace: &str) -> Arc<dyn SessionStore> {
    let builder = MemcacheStore::builder().servers(servers).prefix(format!("{namespace}:"));
    Arc::new(builder.build().unwrap())
}

mod one_server {
    use super::*;
    pycket_testkit::conformance!(Memcached(1));
}

mod three_servers {
    use super::*;
    pycket_testkit::conformance!(Memcached(3));
}
