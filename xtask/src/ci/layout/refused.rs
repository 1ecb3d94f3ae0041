use super::tree::Tree;

/// The only file that may contain the refused texts.
const THIS_FILE: &str = "xtask/src/ci/layout/refused.rs";

/// Texts that no tracked file contains, in this case and as whole words, and what to do about each.
const REFUSED: [(&[&str], &str); 3] = [
    (&["TODO", "FIXME", "todo!", "unimplemented!"], "finish the work, or remove the mark"),
    (&["#[ignore", "ignore)]"], "make the test run, or delete it"),
    (
        &["```ignore", "```rust,ignore"],
        "use `no_run`, `compile_fail` or, if it is not Rust, `text`: an ignored example is not compiled",
    ),
];

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.files("").filter(|(path, _)| *path != THIS_FILE) {
        for (number, line) in (1..).zip(text.lines()) {
            for (refused, advice) in REFUSED {
                let refused = refused.iter().filter(|refused| contains(line, refused));
                findings.extend(
                    refused.map(|refused| format!("{path}:{number}: `{refused}`: {advice}")),
                );
            }
        }
    }
    findings
}

/// Whether `line` contains `text` and neither end of it is in the middle of a word.
fn contains(line: &str, text: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(text).any(|(start, _)| {
        let is_within = |position: usize| {
            let (before, after) = line.split_at(position);
            before.ends_with(is_part) && after.starts_with(is_part)
        };
        !is_within(start) && !is_within(start + text.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refused_text_is_found_in_any_kind_of_file() {
        for (refused, advice) in REFUSED {
            for text in refused {
                for path in ["src/lib.rs", "Cargo.toml", "README.md", ".ci/run"] {
                    assert_eq!(
                        check(&Tree::of([(path, &format!("\n  // {text} later"))])),
                        [format!("{path}:2: `{text}`: {advice}")]
                    );
                }
            }
        }
    }

    #[test]
    fn a_test_that_is_ignored_on_some_systems_is_found() {
        let tree = Tree::of([("a.rs", "    #[cfg_attr(not(unix), ignore)]\n#[ignore = \"slow\"]")]);
        assert_eq!(check(&tree).len(), 2);
    }

    #[test]
    fn words_that_contain_a_refused_text_pass() {
        let text = "MASTODON TODOS my_todo!() a todo list\n#[ignored]\n`ignore`\n```should_panic";
        assert!(check(&Tree::of([("a.rs", text)])).is_empty());
    }
}
