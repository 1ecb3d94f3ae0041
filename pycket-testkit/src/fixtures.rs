//! Records and calls that the cases start from, for a driver's own tests too.

use std::pin::Pin;
use std::sync::Arc;

use pycket_core::{
    Changes, Creation, Error, Metadata, Record, SessionId, SessionStore, Timestamp, Ttl, Value,
};
use tokio::task::{JoinError, JoinSet};

use crate::Harness;
use crate::check::{answered, check};
use crate::observed::observed;

pub(crate) type Store = Arc<dyn SessionStore>;

/// Longer than any test takes, even on a busy machine.
pub const HOUR: Ttl = match Ttl::from_millis(3_600_000) {
    Some(ttl) => ttl,
    None => unreachable!(),
};

/// A value that no error may show.
pub const SECRET: &str = "open-sesame";

/// The metadata of most records of the suite.
pub(crate) const METADATA: Metadata = Metadata::new(Timestamp::from_unix_millis(7));

/// A namespace that was never used.
pub(crate) fn fresh_namespace() -> String {
    format!("conformance-{}", SessionId::generate().expose())
}

/// A handle on a new namespace.
pub(crate) async fn open(harness: &dyn Harness) -> Store {
    open_in(harness, &fresh_namespace()).await
}

/// A handle on this namespace.
pub(crate) async fn open_in(harness: &dyn Harness, namespace: &str) -> Store {
    observed(harness.open(namespace).await)
}

/// Two handles on a new namespace, as of two servers of one application.
pub(crate) async fn open_two(harness: &dyn Harness) -> [Store; 2] {
    let namespace = fresh_namespace();
    [open_in(harness, &namespace).await, open_in(harness, &namespace).await]
}

/// An encoded text.
pub fn text(text: &str) -> Value {
    Value::encode(text).unwrap()
}

/// An encoded number.
pub fn number(number: u64) -> Value {
    Value::encode(&number).unwrap()
}

/// A record of texts, created 7 ms after 1970.
pub fn record<const N: usize>(values: [(&str, &str); N]) -> Record {
    Record::new(METADATA, values.map(|(name, value)| (name, text(value))))
}

/// A ttl of so many milliseconds.
///
/// # Panics
///
/// If it is out of range.
pub fn ttl(millis: u64) -> Ttl {
    Ttl::from_millis(millis).unwrap()
}

/// Stores a record under a new id.
///
/// # Panics
///
/// If the store does not create it.
pub async fn put(store: &dyn SessionStore, record: &Record, ttl: Ttl) -> SessionId {
    let id = SessionId::generate();
    check("a create under a new id", store.create(&id, record, ttl).await, Creation::Created);
    id
}

/// Loads a record without its remaining time.
///
/// # Errors
///
/// Those of `load`.
pub async fn stored(store: &dyn SessionStore, id: &SessionId) -> Result<Option<Record>, Error> {
    Ok(store.load(id).await?.map(|loaded| loaded.record))
}

pub(crate) async fn is_live(store: &Store, id: &SessionId) -> bool {
    answered("a load", store.load(id).await).is_some()
}

/// Calls every method under the id, with [`SECRET`] as a value where it takes one. Returns the errors of load,
/// create, update, touch and delete.
pub async fn failures(store: &dyn SessionStore, id: &SessionId) -> [Option<Error>; 5] {
    let [loaded, created, updated, touched] = failures_but_delete(store, id).await;
    [loaded, created, updated, touched, store.delete(id).await.err()]
}

/// The same without the delete.
pub(crate) async fn failures_but_delete(
    store: &dyn SessionStore,
    id: &SessionId,
) -> [Option<Error>; 4] {
    let record = record([("password", SECRET)]);
    let secret = text(SECRET);
    let changes = Changes::new().expect("password", Some(secret.clone())).set("password", secret);
    [
        store.load(id).await.err(),
        store.create(id, &record, HOUR).await.err(),
        store.update(id, &changes, Some(HOUR)).await.err(),
        store.update(id, &Changes::new(), Some(HOUR)).await.err(),
    ]
}

/// A set, a removal, a touch, new metadata, and a set with an expectation that a live record of a case meets.
pub(crate) fn every_kind_of_update() -> [Changes; 5] {
    [
        Changes::new().set("b", text("2")),
        Changes::new().remove("b"),
        Changes::new(),
        Changes::new().with_metadata(METADATA),
        Changes::new().set("b", text("2")).expect("missing", None),
    ]
}

/// Runs all tasks in parallel, and returns their results in any order.
pub(crate) async fn all<T: Send + 'static>(
    tasks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    // Boxed, so that what runs a task is compiled once, and not for every case.
    let boxed = |task| -> Pin<Box<dyn Future<Output = T> + Send>> { Box::pin(task) };
    let mut tasks: JoinSet<T> = tasks.into_iter().map(boxed).collect();
    let mut results = Vec::new();
    while let Some(result) = tasks.join_next().await {
        results.push(joined(result));
    }
    results
}

/// The result of a task. If the task panicked, this panics with its message: the test harness shows only what
/// the thread of the test says.
pub(crate) fn joined<T>(result: Result<T, JoinError>) -> T {
    let panic = match result.map_err(JoinError::try_into_panic) {
        Ok(value) => return value,
        Err(Ok(panic)) => panic,
        Err(Err(cancelled)) => panic!("a task of the case ended: {cancelled}"),
    };
    match panic.downcast::<String>() {
        Ok(message) => panic!("{message}"),
        Err(panic) => match panic.downcast::<&str>() {
            Ok(message) => panic!("{message}"),
            Err(panic) => std::panic::resume_unwind(panic),
        },
    }
}
