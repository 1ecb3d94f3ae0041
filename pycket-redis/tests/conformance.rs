//! The conformance suite against one Redis server.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use pycket_core::SessionStore;
use pycket_redis::RedisStore;
use pycket_testkit::servers::Server;
use pycket_testkit::{Harness, Time};

#[derive(Debug)]
struct Redis;

#[async_trait]
impl Harness for Redis {
    async fn open(&self, namespace: &str) -> Arc<dyn SessionStore> {
        static SERVER: OnceLock<Server> = OnceLock::new();
        store(&SERVER.get_or_init(Server::redis).url(), namespace)
    }

    fn time(&self) -> Time {
        Time::Real
    }

    async fn unreachable(&self) -> Option<Arc<dyn SessionStore>> {
        let builder = RedisStore::builder("redis://127.0.0.1:1");
        Some(Arc::new(builder.deadline(Duration::from_millis(50)).build().unwrap()))
    }
}

fn store(url: &str, namespace: &str) -> Arc<dyn SessionStore> {
    Arc::new(RedisStore::builder(url).prefix(format!("{namespace}:")).build().unwrap())
}

pycket_testkit::conformance!(Redis);
