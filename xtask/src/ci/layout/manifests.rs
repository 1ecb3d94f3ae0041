use std::collections::BTreeSet;

use super::tree::Tree;
use crate::metadata::Package;

/// Every crate tells what it is for, and is held to the workspace's lints.
pub(super) fn check(tree: &Tree, members: &[&Package]) -> Vec<String> {
    let mut findings = Vec::new();
    for Package { name, folder, .. } in members {
        if tree.text(&format!("{folder}/README.md")).is_none_or(|text| text.trim().is_empty()) {
            findings.push(format!("{folder}/README.md: {name} needs one that says what it is for"));
        }
        let manifest = format!("{folder}/Cargo.toml");
        if !tree.text(&manifest).is_some_and(inherits_lints) {
            findings.push(format!("{manifest}: add `[lints]` with `workspace = true`"));
        }
    }
    findings
}

/// A crate that is not a member cannot inherit: it repeats the lints, tells what it is for, and is among
/// those that the step `standalone` builds.
pub(super) fn check_outside(tree: &Tree, members: &[&Package], built: &[&str]) -> Vec<String> {
    let lints = tree.text("Cargo.toml").map(|root| lints(root, "[workspace.lints."));
    let mut findings = Vec::new();
    for (manifest, text) in tree.files("/Cargo.toml") {
        let folder = manifest.trim_end_matches("/Cargo.toml");
        if members.iter().any(|member| member.folder == folder) {
            continue;
        }
        if tree.text(&format!("{folder}/README.md")).is_none_or(|text| text.trim().is_empty()) {
            findings.push(format!("{folder}/README.md: add one that says what it is for"));
        }
        if lints.as_ref() != Some(&self::lints(text, "[lints.")) {
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

/// The lines of the sections whose headers begin with `start`, each after what follows that.
fn lints<'a>(manifest: &'a str, start: &str) -> BTreeSet<(&'a str, &'a str)> {
    let mut section = None;
    let mut lints = BTreeSet::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line.strip_prefix(start);
        } else if let Some(section) = section.filter(|_| !line.is_empty() && !line.starts_with('#'))
        {
            lints.insert((section, line));
        }
    }
    lints
}

fn inherits_lints(manifest: &str) -> bool {
    let mut section = "";
    manifest.lines().any(|line| {
        let line: String = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = if name == "lints" { "lints" } else { "another" };
        }
        match section {
            "lints" => line == "workspace=true",
            "" => line == "lints.workspace=true",
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(readme: &str, manifest: &str) -> Vec<String> {
        let tree = Tree::of([("drv/README.md", readme), ("drv/Cargo.toml", manifest)]);
        let package =
            Package { name: "drv".to_owned(), folder: "drv".to_owned(), ..Package::default() };
        check(&tree, &[&package])
    }

    const GOOD: &str = "[package]\nname = 'drv'\n\n[lints]\nworkspace = true # ours\n";

    #[test]
    fn a_crate_with_both_passes() {
        assert!(findings("# drv", GOOD).is_empty());
        assert!(findings("# drv", "lints.workspace = true\n[package]").is_empty());
    }

    #[test]
    fn an_empty_readme_is_none() {
        assert_eq!(findings("\n", GOOD), ["drv/README.md: drv needs one that says what it is for"]);
    }

    #[test]
    fn lints_of_its_own_or_none_at_all_are_no_inheritance() {
        for manifest in [
            "[package]\nworkspace = true",
            "[lints]\n[dependencies]\nworkspace = true",
            "[lints]\n# workspace = true",
            "[lints.rust]\nworkspace = true",
        ] {
            assert_eq!(
                findings("# drv", manifest),
                ["drv/Cargo.toml: add `[lints]` with `workspace = true`"],
                "{manifest}"
            );
        }
    }

    const ROOT: &str = "[workspace]\n\n[workspace.lints.rust]\nunsafe_code = 'forbid'\n";

    fn outside(manifest: &str, built: &[&str]) -> Vec<String> {
        let tree = Tree::of([
            ("Cargo.toml", ROOT),
            ("examples/a/README.md", "# a"),
            ("examples/a/Cargo.toml", manifest),
        ]);
        check_outside(&tree, &[], built)
    }

    #[test]
    fn a_crate_outside_that_repeats_the_lints_and_is_built_passes() {
        let manifest = "[workspace]\n[lints.rust]\n# ours\nunsafe_code = 'forbid'\n\n[package]";
        assert!(outside(manifest, &["examples/a"]).is_empty());
    }

    #[test]
    fn a_crate_outside_with_other_lints_or_that_nobody_builds_is_named() {
        for manifest in ["[workspace]", "[lints.rust]", "[lints.clippy]\nunsafe_code = 'forbid'"] {
            let findings = outside(manifest, &[]);
            assert_eq!(findings.len(), 2, "{findings:?}");
            assert!(findings[0].starts_with("examples/a/Cargo.toml: repeat the lints"));
            assert!(findings[1].starts_with("examples/a: add it to `CRATES`"));
        }
    }
}
