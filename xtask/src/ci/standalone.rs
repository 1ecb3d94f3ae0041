mod guide;

use std::env;
use std::path::Path;
use std::process::Command;

use super::{Outcome, msrv, outcome};
use crate::command;

/// The crates outside the workspace, each with its own lock file.
pub(super) const CRATES: [&str; 3] = ["benchmarks", "examples/own-driver", "examples/shop"];

/// Only formatted here: the libraries that they compare with take longer to build than everything else.
const ONLY_FORMATTED: &str = "benchmarks";

/// Builds and tests the crates outside the workspace, and the crate that the guide describes.
pub(super) fn check(root: &Path) -> Outcome {
    let mut failures: Vec<String> =
        CRATES.into_iter().flat_map(|folder| failures(root, folder)).collect();
    failures.extend(guide::check(root).err());
    outcome(&failures)
}

fn failures(root: &Path, folder: &str) -> Vec<String> {
    let path = format!("{folder}/Cargo.toml");
    let manifest = ["--manifest-path", &path];
    let mut commands =
        vec![command::cargo(root, &[&["fmt"], &manifest[..], &["--check"]].concat())];
    let mut failures = Vec::new();
    if folder != ONLY_FORMATTED {
        let mut clippy = build(root, &["clippy", "--locked", "--all-targets"], &manifest);
        clippy.args(["--", "-D", "warnings"]);
        commands.push(clippy);
        commands.push(build(root, &["test", "--locked", "--no-fail-fast"], &manifest));
        failures.extend(msrv::check(&root.join(folder)).err());
    }
    failures.extend(commands.iter_mut().filter_map(|command| command::run(command).err()));
    if !failures.is_empty() {
        failures.push(format!(
            "if its lock file is out of date: `cargo update --workspace --manifest-path {path}`"
        ));
    }
    failures
}

/// A cargo command that reuses the builds of the workspace where features and versions agree.
pub(super) fn build(root: &Path, words: &[&str], more: &[&str]) -> Command {
    let mut command = command::cargo(root, &[words, more].concat());
    if env::var_os("CARGO_TARGET_DIR").is_none() {
        command.args(["--target-dir", "target"]);
    }
    command
}
