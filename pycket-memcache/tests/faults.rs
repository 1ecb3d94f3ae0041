//! The memcached driver survives network faults between it and a real server.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use pycket_core::SessionStore;
use pycket_memcache::MemcacheStore;
use pycket_testkit::servers::{NetworkHarness, Server};

#[derive(Debug)]
struct Memcached;

#[async_trait]
impl NetworkHarness for Memcached {
    fn server(&self) -> SocketAddr {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(Server::memcached).address()
    }

    async fn open_at(&self, address: SocketAddr, namespace: &str) -> Arc<dyn SessionStore> {
        const LIMIT: Duration = Duration::from_secs(20);
        let builder = MemcacheStore::builder().servers([address.to_string()]);
        let builder = builder.connect_timeout(LIMIT).response_timeout(LIMIT).deadline(LIMIT);
        Arc::new(builder.prefix(format!("{namespace}:")).build().unwrap())
    }
}

pycket_testkit::faults!(Memcached);
