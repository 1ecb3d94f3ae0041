mod guarantees;
mod layers;
mod links;
mod manifests;
mod settings;
mod tree;
mod words;

use std::path::Path;

use super::{Outcome, markdown, outcome, standalone};
use crate::metadata;
use tree::Tree;

/// The rules of the repository that a program can check, over the files that git tracks.
pub(super) fn check(root: &Path) -> Outcome {
    let tree = Tree::read(root)?;
    let members = metadata::members(root)?;
    let findings = [
        words::check(&tree),
        settings::check(&tree, &members),
        manifests::check(&tree, &members, &standalone::CRATES),
        layers::check(&members),
        links::check(&tree, &members),
        guarantees::check(&tree),
    ];
    outcome(&findings.concat())
}
