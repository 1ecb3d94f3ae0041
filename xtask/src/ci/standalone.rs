mod guide;

use std::env;
use std::path::Path;
use std::process::Command;

use super::{Outcome, msrv};
use crate::command;

/// A crate outside the workspace, with a lock file of its own.
struct Standalone {
    folder: &'static str,
    /// Whether it is built and tested; otherwise only its format is checked.
    is_tested: bool,
}

const CRATES: [Standalone; 2] = [
    Standalone { folder: "examples/own-driver", is_tested: true },
    // Its peers take longer to build than all else; whoever measures builds them.
    Standalone { folder: "benchmarks", is_tested: false },
];

/// Where they are, from the root.
pub(super) fn folders() -> impl Iterator<Item = &'static str> {
    CRATES.iter().map(|standalone| standalone.folder)
}

/// Builds and tests what is not part of the workspace as whoever copies it would.
pub(super) fn check(root: &Path) -> Outcome {
    let mut failures: Vec<String> =
        CRATES.iter().flat_map(|standalone| standalone.failures(root)).collect();
    failures.extend(guide::check(root).err());
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

impl Standalone {
    fn failures(&self, root: &Path) -> Vec<String> {
        let path = format!("{}/Cargo.toml", self.folder);
        let manifest = ["--manifest-path", &path];
        let mut commands =
            vec![command::cargo(root, &[&["fmt"], &manifest[..], &["--check"]].concat())];
        if self.is_tested {
            let mut clippy = build(root, &["clippy", "--locked", "--all-targets"], &manifest);
            clippy.args(["--", "-D", "warnings"]);
            commands.push(clippy);
            commands.push(build(root, &["test", "--locked", "--no-fail-fast"], &manifest));
        }
        let mut failures: Vec<String> =
            commands.iter_mut().filter_map(|command| command::run(command).err()).collect();
        if self.is_tested {
            failures.extend(msrv::check(&root.join(self.folder)).err());
        }
        if !failures.is_empty() {
            failures.push(format!(
                "if its lock file is out of date: `cargo update --workspace --manifest-path {path}`"
            ));
        }
        failures
    }
}

/// A cargo command that finds again what the workspace has already built, as far as features and versions
/// agree.
fn build(root: &Path, words: &[&str], more: &[&str]) -> Command {
    let mut command = command::cargo(root, &[words, more].concat());
    if env::var_os("CARGO_TARGET_DIR").is_none() {
        command.args(["--target-dir", "target"]);
    }
    if env::var_os("CARGO_PROFILE_DEV_DEBUG").is_none() {
        // As in the workspace's own manifest, or nothing would agree.
        command.env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    }
    command
}
