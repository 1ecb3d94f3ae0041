use super::markdown;
use super::tree::Tree;

/// An example that nobody compiles is wrong sooner or later.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.files(".md").chain(tree.files(".rs")) {
        for (number, line) in (1..).zip(text.lines()) {
            if is_unchecked(line) {
                findings.push(format!(
                    "{path}:{number}: an example marked `ignore` is never compiled: use `no_run` or \
                     `compile_fail`, or `text` if it is no Rust"
                ));
            }
        }
    }
    findings
}

fn is_unchecked(line: &str) -> bool {
    markdown::fence(line.trim_start_matches(['/', '!', '*', ' ', '\t'])).is_some_and(|info| {
        info.split([',', ' ', '{', '}']).any(|word| word == "ignore" || word.starts_with("ignore-"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchecked_example_is_found_in_comments_and_in_markdown() {
        for line in [
            "/// ```ignore",
            "    //! ```rust,ignore",
            " * ~~~ rust, ignore",
            "> ```ignore-windows",
            "```rust ignore",
        ] {
            let findings = check(&Tree::of([("a.md", line), ("b.rs", line)]));
            assert_eq!(findings.len(), 2, "{line}");
            assert!(findings[1].starts_with("b.rs:1: an example marked `ignore`"), "{findings:?}");
        }
    }

    #[test]
    fn other_fences_and_other_words_pass() {
        let tree = Tree::of([
            ("a.md", "```\n```rust\n```no_run\n```text\nplease ignore this\n```"),
            ("b.rs", "/// `ignore`\n/// ```should_panic"),
        ]);
        assert!(check(&tree).is_empty());
    }
}
