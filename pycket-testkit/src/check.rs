use std::fmt::Debug;

use pycket_core::{Creation, Error, Loaded, Record, Update, Value};

/// Compares what a call answered with what the contract says. A failure shows both, and unlike `Debug`
/// it shows the values too: they are the suite's own.
#[track_caller]
pub(crate) fn check<T: Show + PartialEq>(what: &str, came: Result<T, Error>, expected: T) {
    let came = match came {
        Ok(came) if came == expected => return,
        Ok(came) => came.show(),
        Err(error) => show_error(&error),
    };
    panic!("{what}\n  expected: {}\n  came:     {came}", expected.show());
}

/// The answer of a call that no clause lets fail here.
#[track_caller]
pub(crate) fn answered<T>(what: &str, came: Result<T, Error>) -> T {
    came.unwrap_or_else(|error| {
        panic!("{what}\n  expected: an answer\n  came:     {}", show_error(&error))
    })
}

pub(crate) trait Show {
    fn show(&self) -> String;
}

impl Show for Creation {
    fn show(&self) -> String {
        format!("{self:?}")
    }
}

impl Show for Update {
    fn show(&self) -> String {
        format!("{self:?}")
    }
}

impl Show for Record {
    fn show(&self) -> String {
        let created = self.metadata().created.unix_millis();
        let lifetime = self.metadata().idle_timeout;
        let values: Vec<_> = self.iter().take(20).map(show_entry).collect();
        let more = match self.len() - values.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let values = values.join(", ");
        format!("created {created}, lifetime {lifetime:?}, values {{{values}}}{more}")
    }
}

impl Show for Loaded {
    fn show(&self) -> String {
        format!("{}, expires in {:?}", self.record.show(), self.expires_in)
    }
}

impl<T: Show> Show for Option<T> {
    fn show(&self) -> String {
        self.as_ref().map_or_else(|| "nothing".to_owned(), T::show)
    }
}

fn show_entry((name, value): (&str, &Value)) -> String {
    format!("{}: {}", excerpt(name), show_value(value))
}

fn show_value(value: &Value) -> String {
    if let Ok(text) = value.decode::<String>() {
        return excerpt(&text);
    }
    if let Ok(number) = value.decode::<u64>() {
        return number.to_string();
    }
    let bytes = value.as_bytes();
    let start = &bytes[..bytes.len().min(16)];
    format!("{} bytes {start:02x?}…", bytes.len())
}

fn excerpt(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{:?}… ({} bytes)", &text[..end], text.len()),
        None => format!("{text:?}"),
    }
}

pub(crate) fn show_error(error: &Error) -> String {
    let mut text = format!("an error of kind {:?}: {error}", error.kind());
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text.push_str(&format!(": {source}"));
        cause = source.source();
    }
    text
}

/// Like `assert!`, in the words of the other checks.
#[track_caller]
pub(crate) fn ensure(what: &str, expected: impl Debug, came: impl Debug, holds: bool) {
    assert!(holds, "{what}\n  expected: {expected:?}\n  came:     {came:?}");
}
