mod attributes;
mod fences;
mod guarantees;
mod layers;
mod length;
mod links;
mod manifests;
mod marks;
mod tree;

use std::path::Path;

use super::{Outcome, markdown, standalone};
use crate::metadata::{Metadata, Package};
use tree::Tree;

/// The house rules that a machine can judge, over the files that git tracks.
pub(super) fn check(root: &Path) -> Outcome {
    let tree = Tree::read(root)?;
    let metadata = Metadata::of_members(root)?;
    let members: Vec<&Package> = metadata.members().map(|(_, package)| package).collect();
    let findings = [
        length::check(&tree),
        marks::check(&tree),
        fences::check(&tree),
        attributes::check(&tree),
        manifests::check(&tree, &members),
        manifests::check_outside(&tree, &members, &standalone::folders().collect::<Vec<_>>()),
        layers::check(&members),
        links::check(&tree),
        guarantees::check(&tree),
    ]
    .concat();
    if findings.is_empty() { Ok(()) } else { Err(findings.join("\n")) }
}
