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
mod replicas;
mod sentinel;
mod traffic;

use std::sync::Arc;
use std::time::Duration;

use pycket_core::{
    Changes, Creation, ErrorKind, Metadata, Record, SessionId, SessionManager, SessionStore,
    Timestamp, Ttl, Update, Value,
};
use pycket_redis::{RedisStore, RedisStoreBuilder};
use pycket_testkit::Server;

const HOUR: Ttl = Ttl::from_millis(3_600_000).unwrap();

/// No answer of a busy machine is too late for it.
fn patient(url: &str) -> RedisStoreBuilder {
    const LIMIT: Duration = Duration::from_secs(60);
    RedisStore::builder(url).connect_timeout(LIMIT).response_timeout(LIMIT).deadline(LIMIT)
}

fn manager(store: RedisStore) -> SessionManager {
    SessionManager::new(Arc::new(store))
}

fn key(id: &SessionId) -> String {
    format!("pycket:sessions:{}", id.expose())
}

fn text(value: &str) -> Value {
    Value::encode(value).unwrap()
}

fn record<const N: usize>(values: [(&str, &str); N]) -> Record {
    let metadata = Metadata { created: Timestamp::from_unix_millis(7), lifetime: None };
    Record::new(metadata, values.map(|(name, value)| (name, text(value))))
}

fn set(name: &str, value: &str) -> Changes {
    Changes::new().set(name, text(value))
}

async fn put(store: &dyn SessionStore, record: &Record) -> SessionId {
    let id = SessionId::generate();
    assert_eq!(store.create(&id, record, HOUR).await.unwrap(), Creation::Created);
    id
}

async fn stored(store: &dyn SessionStore, id: &SessionId) -> Option<Record> {
    store.load(id).await.unwrap().map(|loaded| loaded.record)
}

/// What each method answers, for calls that would be fine if the servers were: load, create, update,
/// delete.
async fn kinds(store: &dyn SessionStore) -> [Option<ErrorKind>; 4] {
    let id = SessionId::generate();
    [
        store.load(&id).await.err(),
        store.create(&id, &record([("name", "value")]), HOUR).await.err(),
        store.update(&id, &set("name", "other"), Some(HOUR)).await.err(),
        store.delete(&id).await.err(),
    ]
    .map(|error| error.map(|error| error.kind()))
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
