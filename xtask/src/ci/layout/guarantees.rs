use super::markdown;
use super::tree::Tree;

/// A promise in a Markdown table names its test as `path/to/file.rs::name`. The file and the function must
/// exist. The path is relative to the root or to the Markdown file.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.files(".md") {
        let rows = markdown::prose(text).into_iter();
        for (number, row) in rows.filter(|(_, line)| line.trim_start().starts_with('|')) {
            let errors = markdown::code_spans(row).filter_map(|code| error(tree, path, code));
            findings.extend(errors.map(|error| format!("{path}:{number}: {error}")));
        }
    }
    findings
}

/// What is wrong with `code` in the file `named_in`, if it has the form of a test.
fn error(tree: &Tree, named_in: &str, code: &str) -> Option<String> {
    let (file, item) = code.trim().split_once("::").filter(|(file, _)| file.ends_with(".rs"))?;
    let name = item.rsplit("::").next()?.trim_end_matches("()");
    let beside = named_in.rsplit_once('/').map(|(folder, _)| format!("{folder}/{file}"));
    let reason = match tree.text(file).or_else(|| tree.text(&beside?)) {
        None => "no such file is tracked".to_owned(),
        Some(text) if !defines(text, name) => format!("the file has no `fn {name}`"),
        Some(_) => return None,
    };
    Some(format!("the test `{file}::{name}` is missing: {reason}"))
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
    fn existing_tests_pass_from_the_root_and_from_the_file() {
        assert!(findings("`core/tests/ttl.rs::it_ends`, `kit/src/cases.rs::wins`").is_empty());
        assert!(findings("`tests/ttl.rs::module::it_ends`").is_empty());
    }

    #[test]
    fn a_test_that_the_file_lacks_is_named() {
        for name in ["it", "it_ends_not", "once"] {
            assert_eq!(
                findings(&format!("`core/tests/ttl.rs::{name}`")),
                [format!(
                    "core/README.md:3: the test `core/tests/ttl.rs::{name}` is missing: the file has \
                     no `fn {name}`"
                )]
            );
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        assert_eq!(
            findings("`core/tests/gone.rs::it_ends`"),
            [
                "core/README.md:3: the test `core/tests/gone.rs::it_ends` is missing: no such file is \
                 tracked"
            ]
        );
    }

    #[test]
    fn other_code_and_text_outside_of_tables_pass() {
        assert!(findings("`Session::get` and `src/lib.rs`").is_empty());
        let outside = Tree::of([("a.md", "see `gone.rs::test`\n```\n| `gone.rs::test` |\n```")]);
        assert!(check(&outside).is_empty());
    }
}
