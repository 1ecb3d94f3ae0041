//! A failing test says what failed, also if a task on another thread found it.

use std::process::Command;

use pycket_testkit::{TestName, block_on, run_case};

use crate::bench::Bench;
use crate::fault::Fault;

/// Set in the child process.
const IS_CHILD: &str = "PYCKET_TEST_IS_CHILD";

#[test]
fn failure_in_a_task_is_shown_by_its_test() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "messages::child_1_passes",
            "messages::child_2_fails",
            "--test-threads=1",
        ])
        .env(IS_CHILD, "yes")
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{shown}");
    let (_, failed) = shown.split_once("---- messages::child_2_fails stdout ----").unwrap();
    assert!(failed.contains("a load\n  expected: "), "{failed}");
    assert!(failed.contains("broken clause of the contract"), "{failed}");
}

/// Starts the threads of the runtime, so that they belong to this test.
#[test]
fn child_1_passes() {
    block_on(async {});
}

#[test]
fn child_2_fails() {
    if std::env::var_os(IS_CHILD).is_none() {
        return;
    }
    let test =
        TestName { package: "teeth", module: "teeth::messages", group: "cancellation", case: CASE };
    run_case(test, async { Box::new(Bench::new(Some(Fault::AnswersGoToTheNextCall))) as _ });
}

const CASE: &str = "dropped_call_disturbs_no_other_caller";
