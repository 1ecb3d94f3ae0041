use std::path::Path;

use super::{Outcome, tools};
use crate::command::{cargo, more_test_threads, run};

pub(super) fn fmt(root: &Path) -> Outcome {
    run(&mut cargo(root, &["fmt", "--all", "--check"]))
}

/// Runs cargo-deny if it is installed. It takes minutes to build, so that it is not required. The workflow
/// file always runs it, with the advisories, which need a download.
pub(super) fn deny(root: &Path) -> Outcome {
    if !tools::is_installed("cargo-deny") {
        println!("skipped: cargo-deny is not installed (`cargo install --locked cargo-deny`)");
        return Ok(());
    }
    run(&mut cargo(root, &["deny", "check", "bans", "licenses", "sources"]))
}

/// Denies warnings by clippy's own arguments, which apply only to the workspace. `RUSTFLAGS` would
/// rebuild every dependency, here and again in the next step.
pub(super) fn clippy(root: &Path) -> Outcome {
    run(&mut cargo(
        root,
        &["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"],
    ))
}

/// Builds the tests of the steps `tests` and `soak`.
pub(super) fn build_tests(root: &Path) -> Outcome {
    run_tests(root, &["--no-run", "--quiet"])
}

/// Includes the doc tests, and the examples of the READMEs with them.
pub(super) fn test(root: &Path) -> Outcome {
    run_tests(root, &["--exclude", "pycket-soak"])
}

/// The tests of the soak program, which run for a minute.
pub(super) fn soak(root: &Path) -> Outcome {
    run_tests(root, &["--test", "soak"])
}

/// All features of all members, in each step: otherwise the next one builds the dependencies again.
fn run_tests(root: &Path, which: &[&str]) -> Outcome {
    let words = ["test", "--workspace", "--all-features", "--no-fail-fast"];
    let mut test = cargo(root, &[&words, which].concat());
    more_test_threads(&mut test);
    run(&mut test)
}
