use std::borrow::Borrow;
use std::fmt::Display;

use pycket_core::{Record, Value};

/// A record on one line, for a test to compare or print: its `Debug` hides the values.
///
/// First when it was created, in milliseconds, then names and values. Small whole numbers are shown as
/// such, all else as its bytes.
///
/// ```
/// use pycket_core::{Metadata, Record, Timestamp, Value};
///
/// let metadata = Metadata::new(Timestamp::from_unix_millis(7));
/// let record = Record::new(metadata, [("a", Value::encode(&1)?), ("b", Value::encode("x")?)]);
/// assert_eq!(pycket_testkit::shown(Some(record)), "7: a=1, b=[161, 120]");
/// assert_eq!(pycket_testkit::shown(None), "nothing");
/// # Ok::<(), pycket_core::Error>(())
/// ```
pub fn shown(record: Option<Record>) -> String {
    let Some(record) = record else {
        return "nothing".to_owned();
    };
    format!("{}: {}", record.metadata().created.unix_millis(), shown_values(record.iter()))
}

/// Names and values on one line, those of a session for example, as [`shown`] has those of a record.
///
/// ```
/// # use pycket_core::{MemoryStore, SessionManager};
/// # pycket_testkit::block_on(async {
/// let manager = SessionManager::new(std::sync::Arc::new(MemoryStore::new()));
/// let session = manager.open(None).await?;
/// session.set("visits", &3)?;
/// assert_eq!(pycket_testkit::shown_values(session.iter()), "visits=3");
/// # Ok::<(), pycket_core::Error>(())
/// # })?;
/// # Ok::<(), pycket_core::Error>(())
/// ```
pub fn shown_values<N: Display, V: Borrow<Value>>(
    values: impl IntoIterator<Item = (N, V)>,
) -> String {
    let shown = values.into_iter().map(|(name, value)| {
        let value: &Value = value.borrow();
        match value.decode::<u8>() {
            Ok(number) => format!("{name}={number}"),
            Err(_) => format!("{name}={:?}", value.as_bytes()),
        }
    });
    shown.collect::<Vec<_>>().join(", ")
}
