//! The memcached driver on a real server: its failures, its format and everything else that the contract of
//! `SessionStore` does not say.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "test code: a panic is a failure"
)]

mod concurrency;
mod connections;
mod corruption;
mod expiry;
mod format;
mod framing;
#[path = "../../../pycket-testkit/tests/kept/mod.rs"]
mod kept;
mod kept_dumps;
mod kills;
mod limits;
mod lost_replies;
mod outages;
mod raw_client;
mod round_trips;
mod secrets;
mod settings;
mod settings_file;
mod several_servers;
mod shared_connection;
mod timeouts;
mod touches;
mod unpolled;
mod wrong_server;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use pycket_core::{
    Changes, Creation, Error, ErrorKind, KeySpace, Metadata, Record, Session, SessionId,
    SessionManager, SessionStore, Timestamp, Ttl, Update, Value,
};
use pycket_memcache::{MemcacheStore, MemcacheStoreBuilder};
use pycket_testkit::all_shown_by as shown;
use pycket_testkit::fixtures::{HOUR, failures, put as put_for, record, text, ttl};
use pycket_testkit::servers::{FakeServer, FaultProxy, Server};
use raw_client::RawClient;

/// A server that no test changes, pauses or kills.
fn shared() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::memcached)
}

fn store(server: &Server) -> MemcacheStore {
    slow_builder(server).build().unwrap()
}

/// With timeouts that no call reaches, even on a busy machine.
fn slow_builder(server: &Server) -> MemcacheStoreBuilder {
    const LIMIT: Duration = Duration::from_secs(60);
    builder([server]).connect_timeout(LIMIT).response_timeout(LIMIT).deadline(LIMIT)
}

/// A store that reaches its server through the proxy.
fn through(proxy: &FaultProxy) -> MemcacheStore {
    const LIMIT: Duration = Duration::from_secs(20);
    let builder = MemcacheStore::builder().servers([proxy.address().to_string()]);
    builder.connect_timeout(LIMIT).response_timeout(LIMIT).deadline(LIMIT).build().unwrap()
}

/// For a store that uses this as its server.
fn at(server: &FakeServer) -> MemcacheStoreBuilder {
    MemcacheStore::builder().servers([server.address().to_string()])
}

fn builder<'s>(servers: impl IntoIterator<Item = &'s Server>) -> MemcacheStoreBuilder {
    let addresses = servers.into_iter().map(|server| server.address().to_string());
    MemcacheStore::builder().servers(addresses)
}

fn manager(store: MemcacheStore) -> SessionManager {
    SessionManager::new(Arc::new(store))
}

fn key(id: &SessionId) -> String {
    KeySpace::new("pycket:", KeySpace::SESSIONS).key(id)
}

fn large(size: usize) -> Record {
    let metadata = Metadata::new(Timestamp::from_unix_millis(7));
    Record::new(metadata, [("large", Value::from(vec![7; size]))])
}

fn set(name: &str, value: &str) -> Changes {
    Changes::new().set(name, text(value))
}

async fn put(store: &dyn SessionStore, record: &Record) -> SessionId {
    put_for(store, record, HOUR).await
}

async fn touch(store: &dyn SessionStore, id: &SessionId, ttl: Ttl) -> Update {
    store.update(id, &Changes::new(), Some(ttl)).await.unwrap()
}

async fn stored(store: &dyn SessionStore, id: &SessionId) -> Option<Record> {
    store.load(id).await.unwrap().map(|loaded| loaded.record)
}

async fn open(manager: &SessionManager, id: SessionId) -> Session {
    let session = manager.open(Some(id)).await.unwrap();
    assert!(!session.is_new(), "the session is not there");
    session
}

/// The kinds of the errors of load, create, update, touch and delete.
async fn kinds(store: &dyn SessionStore) -> [Option<ErrorKind>; 5] {
    failures(store, &SessionId::generate()).await.map(|error| error.map(|error| error.kind()))
}
