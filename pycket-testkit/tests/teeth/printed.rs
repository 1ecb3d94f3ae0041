//! What a failing model prints is the shortest sequence, and a test that compiles.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pycket_testkit::{block_on, cases};

use crate::bench::Bench;
use crate::fault::Fault;

#[test]
fn a_failing_sequence_of_calls_is_printed_as_a_test_of_two_calls_and_what_shows_the_fault() {
    let bench = Bench::new(Some(Fault::UpdateReplacesTheRecord));
    let case = cases::model::calls_agree_with_the_model(&bench);
    let printed = message(case);
    assert!(printed.contains(include_str!("printed/calls.rs")), "{printed}");
}

#[test]
fn a_failing_sequence_of_requests_is_printed_as_a_test() {
    let bench = Bench::new(Some(Fault::DeleteReturnsWhatWasCreated));
    let case = cases::model::requests_agree_with_the_model(&bench);
    let printed = message(case);
    assert!(printed.contains(include_str!("printed/requests.rs")), "{printed}");
}

fn message(case: impl Future<Output = ()>) -> String {
    let panicked = catch_unwind(AssertUnwindSafe(|| block_on(case))).unwrap_err();
    *panicked.downcast::<String>().unwrap()
}

/// As `conformance!` puts it beside its tests.
async fn conformance_harness() -> Bench {
    Bench::new(None)
}

/// Pasted as they were printed; on a sound store they pass.
mod calls {
    use super::*;
    include!("printed/calls.rs");
}

mod requests {
    use super::*;
    include!("printed/requests.rs");
}
