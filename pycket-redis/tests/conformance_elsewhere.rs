//! The conformance suite against a cluster, behind sentinels, with `wait_replicas`, and over TLS.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use pycket_core::SessionStore;
use pycket_redis::{RedisStore, RedisStoreBuilder};
use pycket_testkit::{Harness, Time};

/// Timeouts so long that a busy machine does not fail a test.
fn long_timeouts(url: &str) -> RedisStoreBuilder {
    RedisStore::builder(url).connect_timeout(LIMIT).response_timeout(LIMIT).deadline(LIMIT)
}

/// A short deadline for servers that do not exist.
fn short_deadline(url: &str) -> RedisStoreBuilder {
    RedisStore::builder(url).deadline(Duration::from_millis(50))
}

const LIMIT: Duration = Duration::from_secs(60);

/// How to connect to one kind of server, and to the same kind where nothing listens.
#[derive(Debug)]
struct Deployment {
    running: fn() -> RedisStoreBuilder,
    unreachable: fn() -> RedisStoreBuilder,
}

#[async_trait]
impl Harness for Deployment {
    async fn open(&self, namespace: &str) -> Arc<dyn SessionStore> {
        Arc::new((self.running)().prefix(format!("{namespace}:")).build().unwrap())
    }

    fn time(&self) -> Time {
        Time::Real
    }

    async fn unreachable(&self) -> Option<Arc<dyn SessionStore>> {
        Some(Arc::new((self.unreachable)().build().unwrap()))
    }
}

mod cluster {
    use pycket_testkit::servers::{RedisCluster, Server};

    use super::*;

    fn running() -> RedisStoreBuilder {
        static CLUSTER: OnceLock<RedisCluster> = OnceLock::new();
        long_timeouts(&CLUSTER.get_or_init(|| Server::redis_cluster(3)).url())
    }

    fn unreachable() -> RedisStoreBuilder {
        short_deadline("redis+cluster://127.0.0.1:1,127.0.0.1:2")
    }

    pycket_testkit::conformance!(Deployment { running, unreachable });
}

mod sentinel {
    use pycket_testkit::servers::{RedisSentinel, Server};

    use super::*;

    fn running() -> RedisStoreBuilder {
        static WATCHED: OnceLock<RedisSentinel> = OnceLock::new();
        long_timeouts(&WATCHED.get_or_init(Server::redis_sentinel).url())
    }

    fn unreachable() -> RedisStoreBuilder {
        short_deadline("redis+sentinel://127.0.0.1:1,127.0.0.1:2/sessions")
    }

    pycket_testkit::conformance!(Deployment { running, unreachable });

    /// The same, and every write waits for a replica.
    mod wait_replicas {
        use super::*;

        fn running() -> RedisStoreBuilder {
            let builder = super::running().response_timeout(LIMIT * 2);
            builder.max_connections(4).wait_replicas(1, LIMIT)
        }

        pycket_testkit::conformance!(Deployment { running, unreachable });
    }
}

#[cfg(feature = "tls")]
mod tls {
    use pycket_testkit::servers::{RedisTls, Server};

    use super::*;

    fn running() -> RedisStoreBuilder {
        static SERVER: OnceLock<RedisTls> = OnceLock::new();
        let server = SERVER.get_or_init(Server::redis_tls);
        long_timeouts(&server.url()).tls_authority(server.authority())
    }

    fn unreachable() -> RedisStoreBuilder {
        short_deadline("rediss://127.0.0.1:1")
    }

    pycket_testkit::conformance!(Deployment { running, unreachable });
}
