//! What the kind of an error says.

use pycket_core::{Error, ErrorKind};

#[test]
fn only_a_call_that_may_succeed_later_has_a_transient_error() {
    use ErrorKind::*;
    let is_transient = |kind| Error::new(kind, "a message").is_transient();
    assert_eq!([Unavailable, Ambiguous, Conflict].map(is_transient), [true; 3]);
    let lasting = [Full, Ended, TooLate, TooLarge, Corrupt, Rejected, KeyNotFound, Decode, Encode];
    assert_eq!(lasting.map(is_transient), [false; 9]);
}
