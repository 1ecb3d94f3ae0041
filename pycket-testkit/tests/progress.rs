//! What the kit says of a case that does not end. Waiting for it would take a minute, so this tests the private module.

#[path = "../src/progress.rs"]
mod progress;

use std::time::Duration;

use progress::{Progress, Running};

#[test]
fn slow_case_says_how_many_calls_have_answered() {
    let progress = Progress::default();
    drop(Running::new(&progress, "load"));
    let _began_just_now = Running::new(&progress, "update");
    let report = progress.report(Duration::from_secs(90), 1.5);
    assert!(report.contains("1 calls have answered so far"), "{report}");
    assert!(report.contains("1.5 times as long as usual"), "{report}");
}

#[test]
fn call_that_does_not_answer_is_named() {
    let progress = Progress::default();
    let _hangs = Running::new(&progress, "update");
    let report = progress.report(Duration::ZERO, 1.0);
    assert!(report.contains("a call of `update` has not answered for"), "{report}");
}
