use std::fmt::Debug;

use pycket_core::{Creation, Error, Record, Update};

use crate::shown::{chain, shown};

/// Compares the answer of a call with the one that the contract requires. A failure shows both, with the
/// values: they are the suite's own.
#[track_caller]
pub(crate) fn check<T: Show + PartialEq>(what: &str, answer: Result<T, Error>, expected: T) {
    let got = match answer {
        Ok(answer) if answer == expected => return,
        Ok(answer) => answer.show(),
        Err(error) => show_error(&error),
    };
    panic!("{what}\n  expected: {}\n  got:      {got}", expected.show());
}

/// The answer of a call that must not fail here.
#[track_caller]
pub(crate) fn answered<T>(what: &str, answer: Result<T, Error>) -> T {
    answer.unwrap_or_else(|error| {
        panic!("{what}\n  expected: an answer\n  got:      {}", show_error(&error))
    })
}

/// Like `assert!`, with the same form of message as the other checks.
#[track_caller]
pub(crate) fn ensure(what: &str, expected: impl Debug, got: impl Debug, holds: bool) {
    assert!(holds, "{what}\n  expected: {expected:?}\n  got:      {got:?}");
}

pub(crate) fn show_error(error: &Error) -> String {
    let messages: Vec<_> = chain(error).map(ToString::to_string).collect();
    format!("an error of kind {:?}: {}", error.kind(), messages.join(": "))
}

pub(crate) trait Show: Debug {
    fn show(&self) -> String {
        format!("{self:?}")
    }
}

impl Show for Creation {}

impl Show for Update {}

impl Show for Option<Record> {
    fn show(&self) -> String {
        shown(self.clone())
    }
}
