//! Helpers that the tests of one server and of several servers share.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use pycket_core::{
    Changes, Creation, Error, ErrorKind, KeySpace, Metadata, Record, SessionId, SessionManager,
    SessionStore, Timestamp, Ttl, Value,
};
use pycket_redis::RedisStore;

pub(crate) const HOUR: Ttl = Ttl::from_millis(3_600_000).unwrap();

pub(crate) fn manager(store: RedisStore) -> SessionManager {
    SessionManager::new(Arc::new(store))
}

pub(crate) fn key(id: &SessionId) -> String {
    KeySpace::new("pycket:", KeySpace::SESSIONS).key(id)
}

pub(crate) fn text(value: &str) -> Value {
    Value::encode(value).unwrap()
}

pub(crate) fn record<const N: usize>(values: [(&str, &str); N]) -> Record {
    let metadata = Metadata::new(Timestamp::from_unix_millis(7));
    Record::new(metadata, values.map(|(name, value)| (name, text(value))))
}

pub(crate) fn set(name: &str, value: &str) -> Changes {
    Changes::new().set(name, text(value))
}

pub(crate) async fn put(store: &dyn SessionStore, record: &Record) -> SessionId {
    let id = SessionId::generate();
    assert_eq!(store.create(&id, record, HOUR).await.unwrap(), Creation::Created);
    id
}

pub(crate) async fn stored(store: &dyn SessionStore, id: &SessionId) -> Option<Record> {
    store.load(id).await.unwrap().map(|loaded| loaded.record)
}

/// The kind of error that each method returns, for calls that succeed on a healthy server. The order is load,
/// create, update, delete.
pub(crate) async fn kinds(store: &dyn SessionStore) -> [Option<ErrorKind>; 4] {
    failures(store).await.map(|error| error.map(|error| error.kind()))
}

/// The error that each method returns, in the same order.
pub(crate) async fn failures(store: &dyn SessionStore) -> [Option<Error>; 4] {
    let id = SessionId::generate();
    [
        store.load(&id).await.err(),
        store.create(&id, &record([("name", "value")]), HOUR).await.err(),
        store.update(&id, &set("name", "other"), Some(HOUR)).await.err(),
        store.delete(&id).await.err(),
    ]
}

/// Polls the call once, so that it is sent. Its result comes later.
pub(crate) async fn begun<F: Future>(call: F) -> Pin<Box<F>> {
    let mut call = Box::pin(call);
    let is_ready = poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready())).await;
    assert!(!is_ready, "the call returned at once");
    call
}
