use super::tree::Tree;

/// What people leave where work is not finished. In two parts each, so that this file passes.
const MARKS: [&str; 4] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
];

/// What is not finished is not in the repository.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.files("") {
        for (number, line) in (1..).zip(text.lines()) {
            findings.extend(
                MARKS
                    .iter()
                    .filter(|mark| has_word(line, mark))
                    .map(|mark| format!("{path}:{number}: `{mark}`: finish it, or leave it out")),
            );
        }
    }
    findings
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line.get(..start).and_then(|text| text.chars().next_back());
        let after = line.get(start + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(is_part) && (word.ends_with('!') || !after.is_some_and(is_part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_is_found_in_any_kind_of_file() {
        for mark in MARKS {
            for path in ["src/lib.rs", "Cargo.toml", "README.md", ".ci/run"] {
                let tree = Tree::of([(path, &format!("\n  // {mark} later"))]);
                assert_eq!(
                    check(&tree),
                    [format!("{path}:2: `{mark}`: finish it, or leave it out")]
                );
            }
        }
    }

    #[test]
    fn other_words_that_contain_one_are_left_alone() {
        let [todo, _, todo_macro, _] = MARKS;
        let text = format!("MAS{todo}N {todo}S my_{todo_macro}() a todo list");
        assert!(check(&Tree::of([("a.rs", &text)])).is_empty());
    }
}
