//! The network fault suite against one Redis server behind a proxy.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use pycket_core::SessionStore;
use pycket_redis::RedisStore;
use pycket_testkit::servers::{NetworkHarness, Server};

#[derive(Debug)]
struct Redis;

#[async_trait]
impl NetworkHarness for Redis {
    fn server(&self) -> SocketAddr {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(Server::redis).address()
    }

    async fn open_at(&self, address: SocketAddr, namespace: &str) -> Arc<dyn SessionStore> {
        const LIMIT: Duration = Duration::from_secs(20);
        let builder = RedisStore::builder(&format!("redis://{address}"));
        let builder = builder.connect_timeout(LIMIT).response_timeout(LIMIT);
        Arc::new(builder.prefix(format!("{namespace}:")).build().unwrap())
    }
}

pycket_testkit::faults!(Redis);
