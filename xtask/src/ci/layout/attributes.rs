use super::tree::Tree;

/// A test that does not run proves nothing.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.files(".rs") {
        for (number, line) in (1..).zip(text.lines()) {
            if skips_a_test(line.trim_start()) {
                findings.push(format!(
                    "{path}:{number}: an ignored test: let it run everywhere, or take it out"
                ));
            }
        }
    }
    findings
}

fn skips_a_test(line: &str) -> bool {
    let Some(attribute) = line.strip_prefix("#[") else { return false };
    let mut words = attribute.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
    match words.next() {
        Some("ignore") => true,
        Some("cfg_attr") => words.any(|word| word == "ignore"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_is_skipped_always_or_sometimes_is_found() {
        for attribute in ["#[ignore]", "#[ignore = \"slow\"]", "    #[cfg_attr(not(unix), ignore)]"]
        {
            let tree = Tree::of([("tests/a.rs", &format!("#[test]\n{attribute}\nfn a() {{}}"))]);
            assert_eq!(
                check(&tree),
                ["tests/a.rs:2: an ignored test: let it run everywhere, or take it out"],
                "{attribute}"
            );
        }
    }

    #[test]
    fn other_attributes_pass() {
        let tree =
            Tree::of([("a.rs", "#[ignored]\n#[cfg_attr(test, derive(Debug))]\n// #[ignore]")]);
        assert!(check(&tree).is_empty());
    }
}
