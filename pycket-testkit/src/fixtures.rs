//! Records and calls that the cases start from, for a driver's own tests too.

use std::sync::Arc;

use pycket_core::{
    Changes, Creation, Error, Metadata, Record, SessionId, SessionStore, Timestamp, Ttl, Value,
};
use tokio::task::JoinSet;

use crate::Harness;
use crate::check::check;

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
pub(crate) async fn open(harness: &impl Harness) -> Store {
    harness.open(&fresh_namespace()).await
}

/// Two handles on a new namespace, as of two servers of one application.
pub(crate) async fn open_two(harness: &impl Harness) -> [Store; 2] {
    let namespace = fresh_namespace();
    [harness.open(&namespace).await, harness.open(&namespace).await]
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

/// Calls every method under the id, with [`SECRET`] as a value where it takes one. Returns the errors of load,
/// create, update, touch and delete.
pub async fn failures(store: &dyn SessionStore, id: &SessionId) -> [Option<Error>; 5] {
    let record = record([("password", SECRET)]);
    let secret = text(SECRET);
    let changes = Changes::new().expect("password", Some(secret.clone())).set("password", secret);
    [
        store.load(id).await.err(),
        store.create(id, &record, HOUR).await.err(),
        store.update(id, &changes, Some(HOUR)).await.err(),
        store.update(id, &Changes::new(), Some(HOUR)).await.err(),
        store.delete(id).await.err(),
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
    tasks.into_iter().collect::<JoinSet<T>>().join_all().await
}
