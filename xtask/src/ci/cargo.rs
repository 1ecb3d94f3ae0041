use std::path::Path;

use super::Outcome;
use crate::command::{cargo, run};

pub(super) fn fmt(root: &Path) -> Outcome {
    run(&mut cargo(root, &["fmt", "--all", "--check"]))
}

/// The lints are denied by clippy's own arguments, which concern only the workspace: `RUSTFLAGS` would
/// rebuild every dependency, here and again in the next step without them.
pub(super) fn clippy(root: &Path) -> Outcome {
    run(&mut cargo(
        root,
        &["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"],
    ))
}

/// Doc tests, the README files' among them, are part of it.
pub(super) fn test(root: &Path) -> Outcome {
    run(&mut cargo(root, &["test", "--workspace", "--all-features", "--no-fail-fast"]))
}

pub(super) fn doc(root: &Path) -> Outcome {
    let mut doc = cargo(root, &["doc", "--workspace", "--no-deps", "--all-features"]);
    run(doc.env("RUSTDOCFLAGS", "-D warnings"))
}
