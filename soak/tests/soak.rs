//! The oracle finds nothing in a minute on Redis, and finds each known bug that is put back.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use std::process::{Command, Output};

fn soak(arguments: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_pycket-soak")).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output, text)
}

/// Runs the servers with this bug until it is found. That takes seconds, but on a busy machine the requests meet less
/// often.
fn finds(finding: &str, broken: &str) {
    let bug = format!("--broken={broken}");
    let arguments = ["--store=memory", "--faults=none", "--seconds=600", "--seed=1", &bug];
    let (output, text) = soak(&arguments);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains(&format!("s: {finding}: ")), "{text}");
}

#[test]
fn a_minute_on_redis_with_all_faults_finds_nothing() {
    let (output, text) = soak(&[
        "--store=redis",
        "--seconds=60",
        "--idle=6",
        "--seed=1",
        "--browsers=4",
        "--limit=30",
    ]);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("seed 1: 0 findings"), "{text}");
}

#[test]
fn update_that_resurrects_a_session_is_found() {
    finds("resurrected", "resurrecting-update");
}

#[test]
fn write_that_is_confirmed_and_not_stored_is_found() {
    finds("lost write", "lost-write");
}

#[test]
fn notification_that_is_handed_out_twice_is_found() {
    finds("doubled notification", "doubled-notification");
}

#[test]
fn end_all_that_misses_a_session_with_a_new_id_is_found() {
    finds("resurrected", "end-all-misses-rotation");
}

#[test]
fn fault_that_the_store_does_not_know_is_an_error() {
    let (output, _) = soak(&["--store=memcached", "--faults=slots"]);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("some of kill,pause,cut,swallow,server"), "{error}");
}
