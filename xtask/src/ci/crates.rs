use std::path::Path;

use super::Outcome;
use crate::command;
use crate::metadata::{Metadata, Package};

/// Builds the library and the programs of each member as a stranger would who depends on it alone: the
/// whole workspace at once hides a feature that a crate needs and only another one switches on.
///
/// It is clippy that builds, because it can deny warnings without rebuilding any dependency.
pub(super) fn check(root: &Path) -> Outcome {
    let metadata = Metadata::of_members(root)?;
    let mut failures = Vec::new();
    for (_, package) in metadata.members() {
        for features in selections(package) {
            let mut words = vec!["clippy", "--quiet", "--package", &package.name];
            words.extend(features);
            words.extend(["--", "-D", "warnings"]);
            failures.extend(command::run(&mut command::cargo(root, &words)).err());
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

/// No feature, each one alone, and all: the arguments for each build.
fn selections(package: &Package) -> Vec<Vec<&str>> {
    let features: Vec<&str> =
        package.features.iter().map(String::as_str).filter(|name| *name != "default").collect();
    let mut selections = vec![vec!["--no-default-features"]];
    selections.extend(
        features.iter().map(|feature| vec!["--no-default-features", "--features", *feature]),
    );
    if features.len() > 1 {
        selections.push(vec!["--all-features"]);
    }
    selections
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_features(names: &[&str]) -> Package {
        Package {
            features: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Package::default()
        }
    }

    #[test]
    fn a_crate_without_features_is_built_once() {
        assert_eq!(selections(&with_features(&["default"])), [["--no-default-features"]]);
    }

    #[test]
    fn one_feature_alone_is_already_all_of_them() {
        assert_eq!(
            selections(&with_features(&["tls"])),
            [vec!["--no-default-features"], vec!["--no-default-features", "--features", "tls"]]
        );
    }

    #[test]
    fn several_features_are_built_alone_and_together() {
        assert_eq!(
            selections(&with_features(&["cluster", "default", "tls"])),
            [
                vec!["--no-default-features"],
                vec!["--no-default-features", "--features", "cluster"],
                vec!["--no-default-features", "--features", "tls"],
                vec!["--all-features"],
            ]
        );
    }
}
