use std::borrow::Borrow;
use std::error::Error as StdError;
use std::fmt::Display;

use pycket_core::{Error, KeySpace, Record, SessionId, Value};

/// A record on one line, for a test to compare or print. (The `Debug` of a record hides the values.)
///
/// First the time of creation in milliseconds, then names and values. A value is shown as a whole number
/// from 0 or as a text if it is one, else as its bytes; see [`shown_values`].
///
/// ```
/// use pycket_core::{Metadata, Record, Timestamp, Value};
///
/// let metadata = Metadata::new(Timestamp::from_unix_millis(7));
/// let record = Record::new(metadata, [("a", Value::encode(&1)?), ("b", Value::encode("x")?)]);
/// assert_eq!(pycket_testkit::shown(Some(record.clone())), "7: a=1, b=\"x\"");
/// assert_eq!(pycket_testkit::shown_values(record.iter()), "a=1, b=\"x\"");
/// assert_eq!(pycket_testkit::shown(None), "nothing");
/// # Ok::<(), pycket_core::Error>(())
/// ```
pub fn shown(record: Option<Record>) -> String {
    let Some(record) = record else {
        return "nothing".to_owned();
    };
    let metadata = record.metadata();
    let created = metadata.created.unix_millis();
    let granted = metadata.granted.map(|ttl| format!(" (granted {ttl:?})"));
    let granted = granted.unwrap_or_default();
    format!("{created}{granted}: {}", shown_values(record.iter()))
}

/// Names and values on one line, for example those of a session. At most 20 of them, and long texts are cut
/// short.
pub fn shown_values<N: Display, V: Borrow<Value>>(
    values: impl IntoIterator<Item = (N, V)>,
) -> String {
    let mut values = values.into_iter();
    let shown = |(name, value): (N, V)| {
        format!("{}={}", excerpt(name.to_string()), shown_value(value.borrow()))
    };
    let mut all: Vec<_> = values.by_ref().take(20).map(shown).collect();
    match values.count() {
        0 => {}
        more => all.push(format!("and {more} more")),
    }
    all.join(", ")
}

fn shown_value(value: &Value) -> String {
    if let Ok(text) = value.decode::<String>() {
        return format!("{:?}", excerpt(text));
    }
    if let Ok(number) = value.decode::<u64>() {
        return number.to_string();
    }
    let bytes = value.as_bytes();
    match bytes.get(..16) {
        Some(start) if bytes.len() > 16 => format!("{start:02x?}… ({} bytes)", bytes.len()),
        _ => format!("{bytes:02x?}"),
    }
}

fn excerpt(text: String) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}

/// Everything that a log could show of an error: `Display` and `Debug` of the error and of all its sources.
/// For tests that an error shows no secret, or that it shows what it should.
///
/// ```
/// use pycket_core::{Error, ErrorKind};
///
/// let refused = std::io::Error::other("no room");
/// let error = Error::new(ErrorKind::Full, "the store is full").with_source(refused);
/// let shown = pycket_testkit::all_shown_by(&error);
/// assert!(shown.contains("the store is full") && shown.contains("no room"));
/// ```
pub fn all_shown_by(error: &Error) -> String {
    let shown = chain(error).map(|error| format!("{error}\n{error:?}\n{error:#?}\n"));
    shown.collect()
}

/// The error and its sources.
pub(crate) fn chain(error: &Error) -> impl Iterator<Item = &dyn StdError> {
    std::iter::successors(Some(error as &dyn StdError), |&error| error.source())
}

/// Whether the error shows the id or a part of it: servers cut what they repeat at different places.
pub(crate) fn shows_id(error: &Error, id: &SessionId) -> bool {
    const LENGTH: usize = 8;
    let shown = all_shown_by(error).to_lowercase();
    let (text, digits) = (id.expose(), id.expose().replace('-', ""));
    let in_key = KeySpace::new("", KeySpace::SESSIONS).key(id).to_lowercase();
    let parts = |text: String| {
        let starts = 0..=text.len() - LENGTH;
        starts.map(move |start| text[start..start + LENGTH].to_owned())
    };
    let bytes = format!("{:?}", &id.expose_bytes()[..LENGTH]);
    let bytes = bytes.trim_matches(['[', ']']).to_owned();
    let mut parts = [text, digits, in_key].into_iter().flat_map(parts).chain([bytes]);
    parts.any(|part| shown.contains(&part))
}
