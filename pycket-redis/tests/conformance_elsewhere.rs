//! The Redis driver keeps the contract of `SessionStore` also where it is not one server behind a port.

#![cfg(any(feature = "cluster", feature = "sentinel", feature = "tls"))]
#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use pycket_core::SessionStore;
use pycket_redis::{RedisStore, RedisStoreBuilder};
use pycket_testkit::{Harness, Time};

/// No answer of a busy machine is too late for it.
fn patient(url: &str) -> RedisStoreBuilder {
    RedisStore::builder(url).connect_timeout(LIMIT).response_timeout(LIMIT).deadline(LIMIT)
}

/// For where nobody is.
fn hasty(url: &str) -> RedisStoreBuilder {
    RedisStore::builder(url).deadline(Duration::from_millis(50))
}

const LIMIT: Duration = Duration::from_secs(60);

/// Settings that lead to servers of the one or the other kind; and to where nobody is.
#[derive(Debug)]
struct Elsewhere {
    there: fn() -> RedisStoreBuilder,
    nowhere: fn() -> RedisStoreBuilder,
}

#[async_trait]
impl Harness for Elsewhere {
    async fn open(&self, namespace: &str) -> Arc<dyn SessionStore> {
        Arc::new((self.there)().prefix(format!("{namespace}:")).build().unwrap())
    }

    fn time(&self) -> Time {
        Time::Real
    }

    async fn unreachable(&self) -> Option<Arc<dyn SessionStore>> {
        Some(Arc::new((self.nowhere)().build().unwrap()))
    }
}

#[cfg(feature = "cluster")]
mod cluster {
    use pycket_testkit::{RedisCluster, Server};

    use super::*;

    fn there() -> RedisStoreBuilder {
        static CLUSTER: OnceLock<RedisCluster> = OnceLock::new();
        patient(&CLUSTER.get_or_init(|| Server::redis_cluster(3)).url())
    }

    fn nowhere() -> RedisStoreBuilder {
        hasty("redis+cluster://127.0.0.1:1,127.0.0.1:2")
    }

    pycket_testkit::conformance!(Elsewhere { there, nowhere });
}

#[cfg(feature = "sentinel")]
mod sentinel {
    use pycket_testkit::{RedisSentinel, Server};

    use super::*;

    fn there() -> RedisStoreBuilder {
        static WATCHED: OnceLock<RedisSentinel> = OnceLock::new();
        patient(&WATCHED.get_or_init(Server::redis_sentinel).url())
    }

    fn nowhere() -> RedisStoreBuilder {
        hasty("redis+sentinel://127.0.0.1:1,127.0.0.1:2/sessions")
    }

    pycket_testkit::conformance!(Elsewhere { there, nowhere });

    /// The same with every write on a replica.
    mod waiting {
        use super::*;

        fn there() -> RedisStoreBuilder {
            let builder = super::there().response_timeout(LIMIT * 2);
            builder.max_connections(4).wait_replicas(1, LIMIT)
        }

        pycket_testkit::conformance!(Elsewhere { there, nowhere });
    }
}

#[cfg(feature = "tls")]
mod tls {
    use pycket_testkit::{RedisTls, Server};

    use super::*;

    fn there() -> RedisStoreBuilder {
        static SERVER: OnceLock<RedisTls> = OnceLock::new();
        let server = SERVER.get_or_init(Server::redis_tls);
        patient(&server.url()).tls_authority(server.authority())
    }

    fn nowhere() -> RedisStoreBuilder {
        hasty("rediss://127.0.0.1:1")
    }

    pycket_testkit::conformance!(Elsewhere { there, nowhere });
}
