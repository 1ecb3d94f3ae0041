//! The Redis driver with more than one server: clusters, sentinels, failovers and replicas.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "test code: a panic is a failure"
)]

mod cluster;
mod cluster_failover;
mod fake_node;
mod lost_replies;
mod migration;
mod operator;
mod permissions;
#[path = "../records/mod.rs"]
mod records;
mod refusals;
mod replicas;
mod sentinel;
mod shared_wait;
mod traffic;

use std::sync::Arc;
use std::time::Duration;

use pycket_core::{Creation, ErrorKind, SessionId, SessionManager, SessionStore, Update};
use pycket_redis::{RedisStore, RedisStoreBuilder};
use pycket_testkit::servers::Server;
use records::*;

/// Timeouts so long that a busy machine does not fail a test.
fn long_timeouts(url: &str) -> RedisStoreBuilder {
    const LIMIT: Duration = Duration::from_secs(60);
    RedisStore::builder(url).connect_timeout(LIMIT).response_timeout(LIMIT).deadline(LIMIT)
}

/// Each write waits for one replica. The tests end a wait with `CLIENT UNBLOCK`, not with a timeout.
fn replicated(url: &str) -> RedisStoreBuilder {
    const LIMIT: Duration = Duration::from_secs(60);
    long_timeouts(url).response_timeout(2 * LIMIT).wait_replicas(1, LIMIT)
}

/// Checks that all four methods work with `id`.
async fn assert_served(store: &dyn SessionStore, id: SessionId) {
    let created = store.create(&id, &record([("name", "value")]), HOUR).await;
    assert_eq!(created.unwrap(), Creation::Created);
    assert_eq!(store.update(&id, &set("name", "other"), None).await.unwrap(), Update::Applied);
    assert_eq!(stored(store, &id).await, Some(record([("name", "other")])));
    assert_eq!(store.delete(&id).await.unwrap(), Some(record([("name", "other")])));
    assert_eq!(stored(store, &id).await, None);
}
