//! A failing model prints a short sequence, and the printed test compiles.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pycket_testkit::{block_on, cases};

use crate::bench::Bench;
use crate::fault::Fault;

#[test]
fn failing_calls_are_printed_as_a_test_of_two_calls_and_a_load() {
    let bench = Bench::new(Some(Fault::UpdateReplacesTheRecord));
    let case = cases::model::calls_agree_with_the_model(&bench);
    let printed = message(case);
    assert!(printed.contains(include_str!("printed/calls.rs")), "{printed}");
}

#[test]
fn failing_requests_are_printed_as_a_test() {
    let bench = Bench::new(Some(Fault::DeleteReturnsWhatWasCreated));
    let case = cases::model::requests_agree_with_the_model(&bench);
    let printed = message(case);
    assert!(printed.contains(include_str!("printed/requests.rs")), "{printed}");
}

fn message(case: impl Future<Output = ()>) -> String {
    let panicked = catch_unwind(AssertUnwindSafe(|| block_on(case))).unwrap_err();
    *panicked.downcast::<String>().unwrap()
}

/// What `conformance!` emits beside its tests.
async fn conformance_harness() -> Bench {
    Bench::new(None)
}

/// The printed tests, pasted. They pass on a sound store.
mod calls {
    use super::*;
    include!("printed/calls.rs");
}

mod requests {
    use super::*;
    include!("printed/requests.rs");
}
