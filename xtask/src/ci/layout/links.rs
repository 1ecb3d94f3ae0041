use super::markdown;
use super::tree::Tree;
use crate::metadata::Package;

/// Relative links in Markdown files lead to files or folders that git tracks. The README of a published crate
/// has none: it is also the crate's page on docs.rs, where they lead nowhere.
///
/// This does not check addresses, anchors within the page, and paths of Rust items, which rustdoc checks.
pub(super) fn check(tree: &Tree, members: &[Package]) -> Vec<String> {
    let is_page = |path: &str| {
        let folder = path.strip_suffix("/README.md");
        members.iter().any(|it| it.is_published && Some(it.folder.as_str()) == folder)
    };
    let mut findings = Vec::new();
    for (path, text) in tree.files(".md") {
        for (number, line) in markdown::prose(text) {
            let line = markdown::without_code_spans(line);
            for target in targets(&line).filter(|target| is_relative(target)) {
                match resolve(path, target) {
                    _ if is_page(path) => findings.push(format!(
                        "{path}:{number}: the link to `{target}` is broken on docs.rs: write the path \
                         as code, or link to an address"
                    )),
                    Some(found) if tree.has(&found) => {}
                    Some(_) => findings.push(format!(
                        "{path}:{number}: the link to `{target}` is broken: no such file is tracked"
                    )),
                    None => findings.push(format!(
                        "{path}:{number}: the link to `{target}` leads out of the repository"
                    )),
                }
            }
        }
    }
    findings
}

/// The targets of the links in a line: `[…](target)`, and `[…]: target` at its start.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let definition = line.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("]:"));
    let definition = definition.map(|(_, rest)| rest);
    let inline = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    definition.into_iter().chain(inline).filter_map(|rest| rest.split_whitespace().next())
}

fn is_relative(target: &str) -> bool {
    let scheme = target.split_once(':').map(|(scheme, _)| scheme);
    let has_scheme =
        scheme.is_some_and(|it| it.chars().all(|letter| letter.is_ascii_alphanumeric()));
    !(has_scheme || target.contains("::") || target.starts_with("//") || target.starts_with('#'))
}

/// The path of `target` from the root, for a link in the file `from`. `None` outside of the repository.
fn resolve(from: &str, target: &str) -> Option<String> {
    let target = target.split(['#', '?']).next()?;
    let mut parts: Vec<&str> = if target.starts_with('/') {
        Vec::new()
    } else {
        from.rsplit_once('/').map_or_else(Vec::new, |(folder, _)| folder.split('/').collect())
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        let files =
            [("docs/a.md", text), ("docs/b.md", ""), ("README.md", ""), ("core/src/lib.rs", "")];
        check(&Tree::of(files), &[])
    }

    #[test]
    fn a_relative_link_in_the_readme_of_a_published_crate_is_named() {
        let text = "[a](#part) [b](https://docs.rs/core) [c](../README.md)";
        let tree = Tree::of([("core/README.md", text), ("README.md", "[core](core/README.md)")]);
        let mut core = Package { folder: "core".to_owned(), ..Package::default() };
        assert!(check(&tree, &[core.clone()]).is_empty());
        core.is_published = true;
        let [finding] = &check(&tree, &[core])[..] else { panic!() };
        let start = "core/README.md:1: the link to `../README.md` is broken on docs.rs: ";
        assert!(finding.starts_with(start), "{finding}");
    }

    #[test]
    fn links_to_existing_files_and_folders_pass() {
        let text = "[b](b.md) [`B`](./b.md#part) [up](../README.md \"title\") [dir](../core/src/)\n\
                    [root](/README.md) ![image](b.md)\n[ref]: ../core/src/lib.rs 'title'";
        assert_eq!(findings(text), Vec::<String>::new());
    }

    #[test]
    fn a_link_to_a_missing_file_is_named_with_its_line() {
        let missing = |line, target| {
            format!("docs/a.md:{line}: the link to `{target}` is broken: no such file is tracked")
        };
        assert_eq!(findings("\n[b](c.md#x)"), [missing(2, "c.md#x")]);
        assert_eq!(findings("[b](b.md) and [c](../b.md)"), [missing(1, "../b.md")]);
        assert_eq!(findings("[ref]: gone.md"), [missing(1, "gone.md")]);
    }

    #[test]
    fn a_link_out_of_the_repository_is_named() {
        assert_eq!(
            findings("[x](../../x)"),
            ["docs/a.md:1: the link to `../../x` leads out of the repository"]
        );
    }

    #[test]
    fn addresses_anchors_items_and_code_pass() {
        let text = "[a](https://example.org/x) [b](#part) [c](mailto:a@b.c) [d](crate::Session)\n\
                    `[e](gone.md)` [f](pycket_core::Ttl)\n```\n[g](gone.md)\n```";
        assert_eq!(findings(text), Vec::<String>::new());
    }
}
