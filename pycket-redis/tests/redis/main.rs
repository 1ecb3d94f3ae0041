//! What the Redis driver does beside the contract: its failures, its format, its round trips. On a real
//! server, one sentence a test.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "test code: a panic is a failure"
)]

mod concurrency;
mod connecting;
mod corruption;
mod cut_connections;
mod file;
mod format_read;
mod format_written;
mod framing;
mod impostors;
mod isolation;
mod kills;
mod lifetime;
mod notifications;
mod outages;
mod pauses;
mod permissions;
mod refusals;
mod round_trips;
mod scripts;
mod secrets;
mod session_faults;
mod settings;
mod stand_in;
#[cfg(feature = "tls")]
mod tls;

use std::error::Error as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use pycket_core::{
    Changes, Error, ErrorKind, Metadata, Record, Session, SessionId, SessionManager, SessionStore,
    Timestamp, Ttl, Value,
};
use pycket_redis::{RedisStore, RedisStoreBuilder};
use pycket_testkit::Server;

const HOUR: Ttl = Ttl::from_millis(3_600_000).unwrap();

/// A server that no test changes, pauses or kills.
fn shared() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::redis)
}

fn store(server: &Server) -> RedisStore {
    patient(server).build().unwrap()
}

/// No answer of a busy machine is too late for it.
fn patient(server: &Server) -> RedisStoreBuilder {
    const LIMIT: Duration = Duration::from_secs(60);
    RedisStore::builder(&server.url()).connect_timeout(LIMIT).response_timeout(LIMIT)
}

fn manager(store: RedisStore) -> SessionManager {
    SessionManager::new(Arc::new(store))
}

/// A connection of its own, for what an operator would do with `redis-cli`.
fn operator(server: &Server) -> redis::Connection {
    redis::Client::open(server.url()).unwrap().get_connection().unwrap()
}

fn run<T: redis::FromRedisValue>(connection: &mut redis::Connection, command: &str) -> T {
    let mut words = command.split(' ');
    let mut command = redis::cmd(words.next().unwrap());
    words.for_each(|word| _ = command.arg(word));
    command.query(connection).unwrap()
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
    assert_eq!(store.create(&id, record, HOUR).await.unwrap(), pycket_core::Creation::Created);
    id
}

async fn stored(store: &dyn SessionStore, id: &SessionId) -> Option<Record> {
    store.load(id).await.unwrap().map(|loaded| loaded.record)
}

async fn open(manager: &SessionManager, id: SessionId) -> Session {
    let session = manager.open(Some(id)).await.unwrap();
    assert!(!session.is_new(), "the session is not there");
    session
}

/// What each method answers, for calls that would be fine if the server were.
async fn kinds(store: &dyn SessionStore) -> [Option<ErrorKind>; 4] {
    failures(store).await.map(|error| error.map(|error| error.kind()))
}

/// In the order load, create, update, delete.
async fn failures(store: &dyn SessionStore) -> [Option<Error>; 4] {
    let id = SessionId::generate();
    [
        store.load(&id).await.err(),
        store.create(&id, &record([("name", "value")]), HOUR).await.err(),
        store.update(&id, &set("name", "other"), Some(HOUR)).await.err(),
        store.delete(&id).await.err(),
    ]
}

/// All that an error shows, in any way.
fn shown(error: &Error) -> String {
    let mut shown = format!("{error} {error:?} {error:#?}");
    let mut source = error.source();
    while let Some(error) = source {
        shown += &format!(" {error} {error:?}");
        source = error.source();
    }
    shown
}
