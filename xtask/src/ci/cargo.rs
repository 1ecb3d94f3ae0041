use std::path::Path;

use super::{Outcome, outcome, tools};
use crate::command::{cargo, more_test_threads, run};
use crate::metadata;

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
    let check = ["deny", "check", "--allow", "unused-wrapper", "bans", "licenses", "sources"];
    run(&mut cargo(root, &check))
}

/// Denies warnings by clippy's own arguments, which apply only to the workspace. `RUSTFLAGS` would
/// rebuild every dependency, here and again in the next step.
pub(super) fn clippy(root: &Path) -> Outcome {
    run(&mut cargo(
        root,
        &["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"],
    ))
}

/// Builds each published member alone, per feature. A build of the whole workspace hides a missing feature if
/// another crate enables it.
///
/// `cargo hack --each-feature` does the same, but it is one more program to build and install.
pub(super) fn crates(root: &Path) -> Outcome {
    let mut failures = Vec::new();
    for package in metadata::members(root)?.into_iter().filter(|it| it.is_published) {
        for features in selections(&package.features) {
            let selection = ["--no-default-features", "--features", &features];
            let mut clippy = cargo(root, &["clippy", "--quiet", "--package", &package.name]);
            clippy.args(selection).args(["--", "-D", "warnings"]);
            failures.extend(run(&mut clippy).err());
        }
    }
    outcome(&failures)
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

/// No feature, each feature alone, and all together.
fn selections(features: &[String]) -> Vec<String> {
    let named: Vec<String> = features.iter().filter(|name| *name != "default").cloned().collect();
    let all = named.join(",");
    let mut selections = [vec![String::new()], named, vec![all]].concat();
    selections.dedup();
    selections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_built_without_features_with_each_and_with_all() {
        let selections = |features: &[&str]| {
            selections(&features.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(selections(&["default"]), [""]);
        assert_eq!(selections(&["tls"]), ["", "tls"]);
        assert_eq!(selections(&["a", "default", "b"]), ["", "a", "b", "a,b"]);
    }
}
