//! What the cases have in common: opening a store, building a record, waiting for tasks.

use std::sync::Arc;

use pycket_core::{
    Creation, Error, Metadata, Record, SessionId, SessionStore, Timestamp, Ttl, Value,
};
use tokio::task::JoinSet;

use crate::Harness;
use crate::check::check;

pub(crate) type Store = Arc<dyn SessionStore>;

/// Long enough that no case outlasts it, however busy the machine.
pub(crate) const HOUR: Ttl = match Ttl::from_millis(3_600_000) {
    Some(ttl) => ttl,
    None => unreachable!(),
};

/// What most records of the suite say about themselves.
pub(crate) const METADATA: Metadata = Metadata::new(Timestamp::from_unix_millis(1_600_000_000_000));

/// A namespace that was never used.
pub(crate) fn fresh_namespace() -> String {
    format!("conformance-{}", SessionId::generate().expose())
}

/// A handle on a namespace of its own.
pub(crate) async fn open(harness: &impl Harness) -> Store {
    harness.open(&fresh_namespace()).await
}

/// Two servers of one application.
pub(crate) async fn open_two(harness: &impl Harness) -> [Store; 2] {
    let namespace = fresh_namespace();
    [harness.open(&namespace).await, harness.open(&namespace).await]
}

pub(crate) fn text(text: &str) -> Value {
    Value::encode(text).unwrap()
}

pub(crate) fn number(number: u64) -> Value {
    Value::encode(&number).unwrap()
}

pub(crate) fn record<const N: usize>(values: [(&str, &str); N]) -> Record {
    Record::new(METADATA, values.map(|(name, value)| (name, text(value))))
}

pub(crate) fn ttl(millis: u64) -> Ttl {
    Ttl::from_millis(millis).unwrap()
}

/// Stores a record under a new id.
pub(crate) async fn put(store: &Store, record: &Record, ttl: Ttl) -> SessionId {
    let id = SessionId::generate();
    check("a create under a new id", store.create(&id, record, ttl).await, Creation::Created);
    id
}

/// The record alone, for the cases that are not about its life.
pub(crate) async fn stored(store: &Store, id: &SessionId) -> Result<Option<Record>, Error> {
    Ok(store.load(id).await?.map(|loaded| loaded.record))
}

/// Starts all tasks, waits for all of them and hands out what they returned, in any order.
pub(crate) async fn all<T: Send + 'static>(
    tasks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    tasks.into_iter().collect::<JoinSet<T>>().join_all().await
}
