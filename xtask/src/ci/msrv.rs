use std::collections::BTreeSet;
use std::path::Path;

use super::Outcome;
use crate::metadata::{Id, Metadata, Package};

/// No dependency may need a newer Rust than the crate that it is needed by promises.
///
/// Dependencies that only tests need are left out: whoever depends on a crate never builds them. A
/// dependency that states no version is believed to build, as cargo believes it.
pub(super) fn check(root: &Path) -> Outcome {
    let metadata = Metadata::of_everything(root)?;
    let findings = findings(&metadata);
    if findings.is_empty() {
        println!("{}", most_demanding(&metadata));
        Ok(())
    } else {
        Err(findings.into_iter().collect::<Vec<_>>().join("\n"))
    }
}

fn findings(metadata: &Metadata) -> BTreeSet<String> {
    let mut findings = BTreeSet::new();
    for (id, member) in metadata.members() {
        let Some(promise) = &member.rust_version else {
            findings.insert(format!(
                "{}/Cargo.toml: add `rust-version.workspace = true`",
                member.folder
            ));
            continue;
        };
        for package in needed_by(metadata, id) {
            findings.extend(objection(member, promise, package));
        }
    }
    findings
}

fn objection(member: &Package, promise: &str, package: &Package) -> Option<String> {
    let needed = package.rust_version.as_deref()?;
    let Package { name, version, .. } = package;
    match (RustVersion::parse(needed), RustVersion::parse(promise)) {
        (Some(needs), Some(promises)) if needs <= promises => None,
        (Some(_), Some(_)) => Some(format!(
            "{name} {version} needs Rust {needed}, but {} promises {promise}: raise `rust-version` \
             in Cargo.toml, or hold {name} back in Cargo.lock",
            member.name
        )),
        (None, _) => {
            Some(format!("{name} {version} states a Rust version `{needed}`, which is none"))
        }
        (_, None) => Some(format!(
            "{}/Cargo.toml: `rust-version` is `{promise}`, which is none",
            member.folder
        )),
    }
}

/// Says how far the promise could be lowered.
fn most_demanding(metadata: &Metadata) -> String {
    let needed = metadata
        .members()
        .flat_map(|(id, _)| needed_by(metadata, id))
        .filter_map(|package| {
            Some((RustVersion::parse(package.rust_version.as_deref()?)?, package))
        })
        .max_by_key(|(version, _)| *version);
    match needed {
        Some((_, Package { name, version, rust_version: Some(rust), .. })) => {
            format!("the most demanding dependency is {name} {version}: Rust {rust}")
        }
        _ => "no dependency states a Rust version".to_owned(),
    }
}

/// The packages outside the workspace that a member needs, directly or not.
fn needed_by<'a>(metadata: &'a Metadata, member: &'a Id) -> Vec<&'a Package> {
    let members: BTreeSet<&Id> = metadata.members().map(|(id, _)| id).collect();
    let mut seen = BTreeSet::from([member]);
    let mut left = vec![member];
    while let Some(id) = left.pop() {
        left.extend(metadata.needs(id).iter().filter(|needed| seen.insert(needed)));
    }
    seen.into_iter()
        .filter(|id| !members.contains(id))
        .filter_map(|id| metadata.package(id))
        .collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct RustVersion([u64; 3]);

impl RustVersion {
    /// Reads `1`, `1.63` and `1.63.1`; what is not said counts as zero.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| part.parse().ok());
        let major = parts.next()??;
        let minor = parts.next().unwrap_or(Some(0))?;
        let patch = parts.next().unwrap_or(Some(0))?;
        parts.next().is_none().then_some(Self([major, minor, patch]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A member that promises `promise` and needs `mid`, which needs `deep`; its tests need `kit`.
    fn workspace(promise: &str, deep: &str) -> Metadata {
        let package = |name: &str, rust: &str| {
            format!(
                r#"{{"id": "{name}", "name": "{name}", "version": "2.0.0", "rust_version": {rust},
                "manifest_path": "/w/{name}/Cargo.toml", "features": {{}}, "dependencies": []}}"#
            )
        };
        let json = format!(
            r#"{{"workspace_root": "/w", "workspace_members": ["app"],
            "packages": [{}, {}, {}, {}],
            "resolve": {{"nodes": [
                {{"id": "app", "deps": [
                    {{"pkg": "mid", "dep_kinds": [{{"kind": "build"}}]}},
                    {{"pkg": "kit", "dep_kinds": [{{"kind": "dev"}}]}}]}},
                {{"id": "mid", "deps": [{{"pkg": "deep", "dep_kinds": [{{"kind": null}}]}}]}}
            ]}}}}"#,
            package("app", promise),
            package("mid", "null"),
            package("deep", deep),
            package("kit", r#""1.99""#),
        );
        Metadata::from_json(&json).unwrap()
    }

    fn findings_of(promise: &str, deep: &str) -> Vec<String> {
        findings(&workspace(promise, deep)).into_iter().collect()
    }

    #[test]
    fn a_dependency_of_a_dependency_that_needs_more_is_named() {
        let findings = findings_of(r#""1.89""#, r#""1.90.1""#);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(
            findings[0].starts_with("deep 2.0.0 needs Rust 1.90.1, but app promises 1.89: "),
            "{findings:?}"
        );
    }

    #[test]
    fn the_same_version_in_another_spelling_is_enough() {
        assert!(findings_of(r#""1.89""#, r#""1.89.0""#).is_empty());
        assert!(findings_of(r#""1.89""#, r#""1.9""#).is_empty(), "1.9 is older than 1.89");
    }

    #[test]
    fn what_states_no_version_and_what_only_tests_need_is_let_pass() {
        assert!(findings_of(r#""1.89""#, "null").is_empty());
    }

    #[test]
    fn a_member_that_promises_nothing_is_told_how() {
        assert_eq!(
            findings_of("null", "null"),
            ["app/Cargo.toml: add `rust-version.workspace = true`"]
        );
    }

    #[test]
    fn what_is_no_version_is_said_not_guessed_at() {
        assert!(findings_of(r#""1.89""#, r#""nightly""#)[0].contains("`nightly`, which is none"));
        assert!(findings_of(r#""new""#, r#""1.60""#)[0].contains("`new`, which is none"));
        assert_eq!(RustVersion::parse("1.2.3.4"), None);
        assert_eq!(RustVersion::parse(""), None);
    }

    #[test]
    fn the_most_demanding_dependency_is_told() {
        let told = most_demanding(&workspace(r#""1.89""#, r#""1.63""#));
        assert_eq!(told, "the most demanding dependency is deep 2.0.0: Rust 1.63");
    }
}
