//! The command line: help, the list of the steps, and the errors for unknown commands and steps.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::process::{Command, Output};

fn xtask(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(words).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn help_shows_the_commands() {
    for words in [&[][..], &["help"], &["--help"], &["ci", "--help"]] {
        let output = xtask(words);
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        assert!(text(&output.stdout).contains("ci --list"), "{words:?}");
    }
}

#[test]
fn the_error_for_an_unknown_command_shows_the_usage() {
    let output = xtask(&["build"]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = text(&output.stderr);
    assert!(stderr.starts_with("xtask: unknown command `build`"), "{stderr}");
    assert!(stderr.contains("Usage: cargo xtask"), "{stderr}");
}

#[test]
fn the_list_names_the_steps_and_runs_none() {
    let output = xtask(&["ci", "--list"]);
    assert_eq!(output.status.code(), Some(0));
    let list = text(&output.stdout);
    let names: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(
        names,
        [
            "tools",
            "layout",
            "fmt",
            "msrv",
            "deny",
            "clippy",
            "build",
            "tests",
            "docs",
            "package",
            "soak",
            "standalone",
        ]
    );
}

#[test]
fn an_unknown_step_is_an_error_before_any_step_runs() {
    let output = xtask(&["ci", "fmt", "lint"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(text(&output.stderr).contains("unknown step `lint`"));
}
