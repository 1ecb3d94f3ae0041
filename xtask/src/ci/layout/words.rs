use super::tree::Tree;

/// The only file that may contain the refused texts.
const THIS_FILE: &str = "xtask/src/ci/layout/words.rs";

/// Texts that no tracked file contains as whole words, and what to do about them.
struct Refused {
    texts: &'static [&'static str],
    /// Whether upper and lower case are the same.
    any_case: bool,
    advice: &'static str,
}

const REFUSED: [Refused; 4] = [
    Refused {
        texts: &[
            "whoever",
            "nobody",
            "somebody",
            "for want of",
            "mended",
            "doomed",
            "whereabouts",
            "in vain",
        ],
        any_case: true,
        advice: "say in ordinary words who does what",
    },
    Refused {
        texts: &["TODO", "FIXME", "todo!", "unimplemented!"],
        any_case: false,
        advice: "finish the work, or remove the mark",
    },
    Refused {
        texts: &["#[ignore", "ignore)]"],
        any_case: false,
        advice: "make the test run, or delete it",
    },
    Refused {
        texts: &["```ignore", "```rust,ignore"],
        any_case: false,
        advice: "use `no_run`, `compile_fail` or, if it is not Rust, `text`, so that the example is checked",
    },
];

/// The longest allowed name, of a test, a case of the kit or anything else.
const MAX_NAME: usize = 70;

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.files("").filter(|(path, _)| *path != THIS_FILE) {
        for (number, line) in (1..).zip(text.lines()) {
            findings.extend(long_names(line).map(|name| {
                let length = name.len();
                format!(
                    "{path}:{number}: `{name}` has {length} characters, {MAX_NAME} at most: say \
                     subject, situation and result"
                )
            }));
            let lower = line.to_lowercase();
            for Refused { texts, any_case, advice } in &REFUSED {
                let line = if *any_case { &lower } else { line };
                let found = texts.iter().filter(|text| contains(line, text));
                findings.extend(found.map(|text| format!("{path}:{number}: `{text}`: {advice}")));
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

fn long_names(line: &str) -> impl Iterator<Item = &str> {
    let is_part = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '_');
    let names = line.split(move |letter| !is_part(letter));
    names.filter(|name| name.len() > MAX_NAME && name.contains('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refused_text_is_found_in_any_kind_of_file() {
        for Refused { texts, advice, .. } in REFUSED {
            for text in texts {
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
    fn a_refused_word_is_found_in_upper_case_and_between_marks() {
        let tree = Tree::of([("a.md", "Nobody\n(IN VAIN)\n\"doomed\"")]);
        assert_eq!(check(&tree).len(), 3);
    }

    #[test]
    fn a_test_that_is_ignored_on_some_systems_is_found() {
        let tree = Tree::of([("a.rs", "    #[cfg_attr(not(unix), ignore)]\n#[ignore = \"slow\"]")]);
        assert_eq!(check(&tree).len(), 2);
    }

    #[test]
    fn words_that_contain_a_refused_text_pass() {
        let text =
            "MASTODON TODOS my_todo!() a todo list amended recommended\n#[ignored]\n`ignore`";
        assert!(check(&Tree::of([("a.rs", text)])).is_empty());
    }

    #[test]
    fn a_name_of_71_characters_is_found_in_functions_and_in_macros() {
        let name = format!("a_{}", "b".repeat(69));
        let tree = Tree::of([("a.rs", &format!("async fn {name}() {{}}\ncases! {{ x {name} }}"))]);
        let findings = check(&tree);
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings[1].starts_with(&format!("a.rs:2: `{name}` has 71 characters")));
    }

    #[test]
    fn a_name_of_70_characters_and_a_long_value_pass() {
        let text = format!("fn a_{}() {{}}\n\"{}\"", "b".repeat(68), "0f".repeat(64));
        assert!(check(&Tree::of([("a.rs", &text)])).is_empty());
    }
}
