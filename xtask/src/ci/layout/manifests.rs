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
}
