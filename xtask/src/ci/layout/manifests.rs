use std::collections::BTreeSet;

use super::tree::Tree;
use crate::metadata::Package;

/// Every member inherits the lints of the workspace. A crate outside the workspace cannot: it repeats
/// them, and the step `standalone` builds it. A library that builds no tests has none in its sources.
pub(super) fn check(tree: &Tree, members: &[Package], standalone: &[&str]) -> Vec<String> {
    let repeated = lines_of(tree.text("Cargo.toml").unwrap_or_default(), "[workspace.lints.");
    let inherited = BTreeSet::from([("]", "workspace = true")]);
    let mut findings = Vec::new();
    for (manifest, text) in tree.files("/Cargo.toml") {
        let folder = manifest.trim_end_matches("/Cargo.toml");
        findings.extend(unbuilt_tests(tree, manifest, text));
        if members.iter().any(|member| member.folder == folder) {
            if lines_of(text, "[lints") != inherited {
                findings.push(format!("{manifest}: add `[lints]` with `workspace = true`"));
            }
            continue;
        }
        if lines_of(text, "[lints.") != repeated {
            findings.push(format!(
                "{manifest}: repeat the lints of the root's Cargo.toml, under `[lints.…]`"
            ));
        }
        if !standalone.contains(&folder) {
            findings.push(format!("{folder}: add it to `CRATES` in xtask/src/ci/standalone.rs"));
        }
    }
    findings
}

/// The files whose tests are in no program, because the manifest says so.
fn unbuilt_tests(tree: &Tree, manifest: &str, text: &str) -> Vec<String> {
    if !lines_of(text, "[lib]").contains(&("", "test = false")) {
        return Vec::new();
    }
    let sources = manifest.replace("Cargo.toml", "src/");
    let has_tests = |text: &str| text.lines().any(|line| line.trim() == "#[cfg(test)]");
    tree.files(".rs")
        .filter(|(path, text)| path.starts_with(&sources) && has_tests(text))
        .map(|(path, _)| {
            format!("{path}: move the tests to `tests`: {manifest} has `test = false`")
        })
        .collect()
}

/// The lines in the sections whose headers begin with `start`, each with the rest of its header.
fn lines_of<'a>(manifest: &'a str, start: &str) -> BTreeSet<(&'a str, &'a str)> {
    let mut section = None;
    let mut found = BTreeSet::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line.strip_prefix(start);
        } else if let Some(section) = section.filter(|_| !line.is_empty() && !line.starts_with('#'))
        {
            found.insert((section, line));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(manifest: &str, members: &[Package], standalone: &[&str]) -> Vec<String> {
        let root = "[workspace]\n\n[workspace.lints.rust]\nunsafe_code = 'forbid'\n";
        check(&Tree::of([("Cargo.toml", root), ("a/Cargo.toml", manifest)]), members, standalone)
    }

    #[test]
    fn a_member_that_does_not_inherit_the_lints_is_named() {
        let member = Package { folder: "a".to_owned(), ..Package::default() };
        let findings = |manifest| findings(manifest, std::slice::from_ref(&member), &[]);
        assert!(
            findings("[package]\nname = 'a'\n\n[lints]\n# ours\nworkspace = true\n").is_empty()
        );
        for manifest in [
            "[package]\nworkspace = true",
            "[lints]\n[dependencies]\nworkspace = true",
            "[lints]\n# workspace = true",
            "[lints.rust]\nworkspace = true",
        ] {
            let expected = ["a/Cargo.toml: add `[lints]` with `workspace = true`"];
            assert_eq!(findings(manifest), expected, "{manifest}");
        }
    }

    #[test]
    fn a_crate_outside_with_other_lints_that_is_not_built_is_named() {
        let good = "[workspace]\n[lints.rust]\n# ours\nunsafe_code = 'forbid'\n\n[package]";
        assert!(findings(good, &[], &["a"]).is_empty());
        for manifest in ["[workspace]", "[lints.rust]", "[lints.clippy]\nunsafe_code = 'forbid'"] {
            let findings = findings(manifest, &[], &[]);
            assert_eq!(findings.len(), 2, "{findings:?}");
            assert!(findings[0].starts_with("a/Cargo.toml: repeat the lints"));
            assert!(findings[1].starts_with("a: add it to `CRATES`"));
        }
    }

    #[test]
    fn tests_in_a_library_that_builds_none_are_named() {
        let member = Package { folder: "a".to_owned(), ..Package::default() };
        let found = |settings: &str, source: &str| {
            let manifest = format!("[lib]\n{settings}\n[lints]\nworkspace = true\n");
            let tree = Tree::of([("a/Cargo.toml", &manifest), ("a/src/b.rs", source)]);
            check(&tree, std::slice::from_ref(&member), &[])
        };
        let tests = "fn b() {}\n\n#[cfg(test)]\nmod tests {}\n";
        let expected = ["a/src/b.rs: move the tests to `tests`: a/Cargo.toml has `test = false`"];
        assert_eq!(found("test = false", tests), expected);
        assert!(found("", tests).is_empty());
        assert!(found("test = false", "fn b() {}\n").is_empty());
    }
}
