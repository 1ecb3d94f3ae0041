use super::markdown;
use super::tree::Tree;

/// A promise in a table of a Markdown file names the test that holds it, as `path/to/file.rs::name`; the
/// file must be there and the function in it. The path starts at the root or at the Markdown file.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.files(".md") {
        let rows = markdown::prose(text).into_iter();
        for (number, row) in rows.filter(|(_, line)| line.trim_start().starts_with('|')) {
            let tests = markdown::code_spans(row).filter_map(Test::parse);
            findings.extend(
                tests
                    .filter_map(|test| test.objection(tree, path))
                    .map(|objection| format!("{path}:{number}: {objection}")),
            );
        }
    }
    findings
}

struct Test<'a> {
    file: &'a str,
    name: &'a str,
}

impl<'a> Test<'a> {
    fn parse(code: &'a str) -> Option<Self> {
        let (file, item) =
            code.trim().split_once("::").filter(|(file, _)| file.ends_with(".rs"))?;
        let name = item.rsplit("::").next()?.trim_end_matches("()");
        Some(Self { file, name })
    }

    fn objection(&self, tree: &Tree, named_in: &str) -> Option<String> {
        let Self { file, name } = self;
        let beside = named_in.rsplit_once('/').map(|(folder, _)| format!("{folder}/{file}"));
        let text = tree.text(file).or_else(|| tree.text(&beside?));
        match text {
            None => Some(format!("`{file}::{name}` is to hold a promise: no such file is tracked")),
            Some(text) if !defines(text, name) => {
                Some(format!("`{file}::{name}` is to hold a promise: the file has no `fn {name}`"))
            }
            Some(_) => None,
        }
    }
}

fn defines(text: &str, name: &str) -> bool {
    text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")).any(|line| {
        line.split("fn ")
            .skip(1)
            .any(|rest| rest.strip_prefix(name).is_some_and(|rest| rest.starts_with(['(', '<'])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(cell: &str) -> Vec<String> {
        check(&Tree::of([
            ("core/README.md", &format!("| promise | test |\n|---|---|\n| it holds | {cell} |\n")),
            ("core/tests/ttl.rs", "#[test]\nfn it_ends() {}\n// fn once() {}\n"),
            ("kit/src/cases.rs", "pub async fn wins<H: Harness>(h: &H) {}"),
        ]))
    }

    #[test]
    fn tests_that_are_there_pass_from_the_root_and_from_the_file() {
        assert!(findings("`core/tests/ttl.rs::it_ends`, `kit/src/cases.rs::wins`").is_empty());
        assert!(findings("`tests/ttl.rs::module::it_ends`").is_empty());
    }

    #[test]
    fn a_test_that_is_not_in_the_file_is_named() {
        for name in ["it", "it_ends_not", "once"] {
            assert_eq!(
                findings(&format!("`core/tests/ttl.rs::{name}`")),
                [format!(
                    "core/README.md:3: `core/tests/ttl.rs::{name}` is to hold a promise: the file has \
                     no `fn {name}`"
                )]
            );
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        assert_eq!(
            findings("`core/tests/gone.rs::it_ends`"),
            [
                "core/README.md:3: `core/tests/gone.rs::it_ends` is to hold a promise: no such file is \
              tracked"
            ]
        );
    }

    #[test]
    fn other_code_in_a_table_and_text_outside_of_one_are_left_alone() {
        assert!(findings("`Session::get` and `src/lib.rs`").is_empty());
        let outside = Tree::of([("a.md", "see `gone.rs::test`\n```\n| `gone.rs::test` |\n```")]);
        assert!(check(&outside).is_empty());
    }
}
