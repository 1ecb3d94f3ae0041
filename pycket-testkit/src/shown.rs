use pycket_core::{Record, Value};

/// A record on one line, for a test to compare or print: its `Debug` hides the values.
///
/// First when it was created, in milliseconds, then names and values. Small whole numbers are shown as
/// such, all else as its bytes.
///
/// ```
/// use pycket_core::{Metadata, Record, Timestamp, Value};
///
/// let metadata = Metadata { created: Timestamp::from_unix_millis(7), lifetime: None };
/// let record = Record::new(metadata, [("a", Value::encode(&1)?), ("b", Value::encode("x")?)]);
/// assert_eq!(pycket_testkit::shown(Some(record)), "7: a=1, b=[161, 120]");
/// assert_eq!(pycket_testkit::shown(None), "nothing");
/// # Ok::<(), pycket_core::Error>(())
/// ```
pub fn shown(record: Option<Record>) -> String {
    let Some(record) = record else {
        return "nothing".to_owned();
    };
    let entries: Vec<_> = record.iter().map(entry).collect();
    format!("{}: {}", record.metadata().created.unix_millis(), entries.join(", "))
}

fn entry((name, value): (&str, &Value)) -> String {
    match value.decode::<u8>() {
        Ok(number) => format!("{name}={number}"),
        Err(_) => format!("{name}={:?}", value.as_bytes()),
    }
}
