use std::path::Path;

use super::{Outcome, outcome};
use crate::metadata::{self, Package};

/// No package in the lock file needs a newer Rust than the members promise with `rust-version`.
///
/// The resolver prefers such packages, but takes a newer one without an error if there is no other. Only
/// a build with the promised Rust proves more, and the workflow file has one. A package that states no
/// version passes, as in cargo.
pub(super) fn check(root: &Path) -> Outcome {
    outcome(&findings(&metadata::members(root)?, &metadata::all(root)?))
}

fn findings(members: &[Package], all: &[Package]) -> Vec<String> {
    let without = members.iter().filter(|member| version(member).is_none());
    let mut findings: Vec<String> = without
        .map(|Package { folder, .. }| {
            format!("{folder}/Cargo.toml: add `rust-version.workspace = true`")
        })
        .collect();
    let Some(promised) = members.iter().filter_map(version).min() else { return findings };
    let too_new = all.iter().filter(|it| version(it).is_some_and(|needed| needed > promised));
    findings.extend(too_new.map(|Package { name, version, rust_version, .. }| {
        let needed = rust_version.as_deref().unwrap_or_default();
        format!(
            "{name} {version} needs Rust {needed}: raise `rust-version` in Cargo.toml, or choose an \
             older {name} with `cargo update --precise`"
        )
    }));
    findings
}

/// Reads `1.89` and `1.89.0` as the same version.
fn version(package: &Package) -> Option<[u64; 3]> {
    let mut parts = package.rust_version.as_deref()?.split('.').map(str::parse);
    let mut next = || parts.next().unwrap_or(Ok(0)).ok();
    Some([next()?, next()?, next()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, rust_version: Option<&str>) -> Package {
        Package {
            name: name.to_owned(),
            version: "2.0.0".to_owned(),
            folder: name.to_owned(),
            rust_version: rust_version.map(str::to_owned),
            ..Package::default()
        }
    }

    fn findings_of(promised: Option<&str>, needed: Option<&str>) -> Vec<String> {
        findings(&[package("app", promised)], &[package("app", promised), package("dep", needed)])
    }

    #[test]
    fn a_package_that_needs_a_newer_rust_is_named_and_no_other() {
        let [finding] = &findings_of(Some("1.89"), Some("1.90.1"))[..] else { panic!() };
        assert!(finding.starts_with("dep 2.0.0 needs Rust 1.90.1: raise"), "{finding}");
        for needed in [Some("1.89.0"), Some("1.9"), Some("1"), None] {
            assert!(findings_of(Some("1.89"), needed).is_empty(), "{needed:?}");
        }
    }

    #[test]
    fn a_member_without_a_version_is_named() {
        let expected = ["app/Cargo.toml: add `rust-version.workspace = true`"];
        assert_eq!(findings_of(None, None), expected);
        assert_eq!(findings_of(Some("nightly"), None), expected);
    }
}
