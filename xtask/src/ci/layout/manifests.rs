use std::collections::BTreeSet;

use super::tree::Tree;
use crate::metadata::Package;

/// Every member inherits the lints of the workspace.
pub(super) fn check(tree: &Tree, members: &[Package]) -> Vec<String> {
    let mut findings = Vec::new();
    for Package { folder, .. } in members {
        let manifest = format!("{folder}/Cargo.toml");
        if lints(tree, &manifest, "[lints") != BTreeSet::from([("]", "workspace = true")]) {
            findings.push(format!("{manifest}: add `[lints]` with `workspace = true`"));
        }
    }
    findings
}

/// A crate outside the workspace cannot inherit the lints. It repeats them, and the step `standalone`
/// builds it.
pub(super) fn check_outside(tree: &Tree, members: &[Package], built: &[&str]) -> Vec<String> {
    let expected = lints(tree, "Cargo.toml", "[workspace.lints.");
    let mut findings = Vec::new();
    for (manifest, _) in tree.files("/Cargo.toml") {
        let folder = manifest.trim_end_matches("/Cargo.toml");
        if members.iter().any(|member| member.folder == folder) {
            continue;
        }
        if lints(tree, manifest, "[lints.") != expected {
            findings.push(format!(
                "{manifest}: repeat the lints of the root's Cargo.toml, under `[lints.…]`"
            ));
        }
        if !built.contains(&folder) {
            findings.push(format!("{folder}: add it to `CRATES` in xtask/src/ci/standalone.rs"));
        }
    }
    findings
}

/// The lines in the sections whose headers begin with `start`, each with the rest of its header.
fn lints<'a>(tree: &'a Tree, manifest: &str, start: &str) -> BTreeSet<(&'a str, &'a str)> {
    let mut section = None;
    let mut lints = BTreeSet::new();
    for line in tree.text(manifest).unwrap_or_default().lines().map(str::trim) {
        if line.starts_with('[') {
            section = line.strip_prefix(start);
        } else if let Some(section) = section.filter(|_| !line.is_empty() && !line.starts_with('#'))
        {
            lints.insert((section, line));
        }
    }
    lints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_with_the_lints_of_the_workspace_passes() {
        assert!(
            findings("[package]\nname = 'drv'\n\n[lints]\n# ours\nworkspace = true\n").is_empty()
        );
    }

    #[test]
    fn a_member_without_the_lints_of_the_workspace_is_named() {
        for manifest in [
            "[package]\nworkspace = true",
            "[lints]\n[dependencies]\nworkspace = true",
            "[lints]\n# workspace = true",
            "[lints.rust]\nworkspace = true",
        ] {
            assert_eq!(
                findings(manifest),
                ["drv/Cargo.toml: add `[lints]` with `workspace = true`"],
                "{manifest}"
            );
        }
    }

    fn findings(manifest: &str) -> Vec<String> {
        let member = Package { folder: "drv".to_owned(), ..Package::default() };
        check(&Tree::of([("drv/Cargo.toml", manifest)]), &[member])
    }

    const ROOT: &str = "[workspace]\n\n[workspace.lints.rust]\nunsafe_code = 'forbid'\n";

    fn outside(manifest: &str, built: &[&str]) -> Vec<String> {
        let tree = Tree::of([("Cargo.toml", ROOT), ("examples/a/Cargo.toml", manifest)]);
        check_outside(&tree, &[], built)
    }

    #[test]
    fn a_crate_outside_that_repeats_the_lints_and_is_built_passes() {
        let manifest = "[workspace]\n[lints.rust]\n# ours\nunsafe_code = 'forbid'\n\n[package]";
        assert!(outside(manifest, &["examples/a"]).is_empty());
    }

    #[test]
    fn a_crate_outside_with_other_lints_that_is_not_built_is_named() {
        for manifest in ["[workspace]", "[lints.rust]", "[lints.clippy]\nunsafe_code = 'forbid'"] {
            let findings = outside(manifest, &[]);
            assert_eq!(findings.len(), 2, "{findings:?}");
            assert!(findings[0].starts_with("examples/a/Cargo.toml: repeat the lints"));
            assert!(findings[1].starts_with("examples/a: add it to `CRATES`"));
        }
    }
}
