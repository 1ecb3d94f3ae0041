use super::tree::Tree;

const MOST_LINES: usize = 400;

/// A file that holds one thing is short.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    tree.files(".rs")
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > MOST_LINES)
        .map(|(path, lines)| {
            format!("{path}: {lines} lines, {MOST_LINES} at most: split it by what it holds")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_too_many_is_said_with_the_number() {
        let tree = Tree::of([("a.rs", &"\n".repeat(401))]);
        assert_eq!(check(&tree), ["a.rs: 401 lines, 400 at most: split it by what it holds"]);
    }

    #[test]
    fn four_hundred_lines_pass_and_prose_may_be_longer() {
        let tree = Tree::of([("a.rs", &"\n".repeat(400)), ("b.md", &"\n".repeat(999))]);
        assert!(check(&tree).is_empty());
    }
}
