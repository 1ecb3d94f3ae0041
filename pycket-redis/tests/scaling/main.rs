//! What the Redis driver does where one server is not enough: clusters, failovers, replicas.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "test code: a panic is a failure, and what was lost is reported"
)]

mod cluster;
mod cluster_failover;
mod impostor;
mod lost_answers;
mod migration;
mod operator;
mod permissions;
#[path = "../records/mod.rs"]
mod records;
mod refusals;
mod replicas;
mod sentinel;
mod sharing;
mod traffic;

use std::sync::Arc;
use std::time::Duration;

use pycket_core::{Creation, ErrorKind, SessionId, SessionManager, SessionStore, Update};
use pycket_redis::{RedisStore, RedisStoreBuilder};
use pycket_testkit::Server;
use records::*;

/// No answer of a busy machine is too late for it.
fn patient(url: &str) -> RedisStoreBuilder {
    const LIMIT: Duration = Duration::from_secs(60);
    RedisStore::builder(url).connect_timeout(LIMIT).response_timeout(LIMIT).deadline(LIMIT)
}

/// Waits for a replica. That none confirms a write is for the test to say, not for a clock.
fn waiting(url: &str) -> RedisStoreBuilder {
    const LIMIT: Duration = Duration::from_secs(60);
    patient(url).response_timeout(2 * LIMIT).wait_replicas(1, LIMIT)
}

/// All four methods do what they should with one id.
async fn assert_served(store: &dyn SessionStore, id: SessionId) {
    let created = store.create(&id, &record([("name", "value")]), HOUR).await;
    assert_eq!(created.unwrap(), Creation::Created);
    assert_eq!(store.update(&id, &set("name", "other"), None).await.unwrap(), Update::Applied);
    assert_eq!(stored(store, &id).await, Some(record([("name", "other")])));
    assert_eq!(store.delete(&id).await.unwrap(), Some(record([("name", "other")])));
    assert_eq!(stored(store, &id).await, None);
}
