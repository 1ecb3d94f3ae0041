use super::tree::Tree;
use crate::metadata::Package;

/// Every setter of a public builder is in a table of its crate's README, where readers look for the default.
pub(super) fn check(tree: &Tree, members: &[Package]) -> Vec<String> {
    let mut findings = Vec::new();
    for Package { folder, .. } in members.iter().filter(|member| member.is_published) {
        let readme = format!("{folder}/README.md");
        let rows: Vec<_> = tree.text(&readme).unwrap_or_default().lines().collect();
        let is_listed = |setter: &str| {
            let names = [format!("`{setter}`"), format!("`{setter}(")];
            rows.iter().any(|row| row.starts_with('|') && names.iter().any(|it| row.contains(it)))
        };
        let sources = format!("{folder}/src/");
        for (path, text) in tree.files(".rs").filter(|(path, _)| path.starts_with(&sources)) {
            findings.extend(setters(text).filter(|setter| !is_listed(setter)).map(|setter| {
                format!(
                    "{path}: `{setter}` is a setting: add it and its default to a table in {readme}"
                )
            }));
        }
    }
    findings
}

/// The public methods of builders that take and return the builder, by name.
fn setters(text: &str) -> impl Iterator<Item = &str> {
    let blocks = text.split("\nimpl ").skip(1).filter_map(|block| block.split("\n}").next());
    let builders = blocks.filter(|block| {
        block
            .lines()
            .next()
            .is_some_and(|line| line.ends_with("Builder {") && !line.contains(" for "))
    });
    let methods = builders.flat_map(|block| block.split("\n    pub fn ").skip(1));
    methods.filter_map(|method| {
        let (head, rest) = method.split_once('(')?;
        rest.trim_start().starts_with("mut self").then(|| head.split('<').next().unwrap_or(head))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\nimpl StoreBuilder {\n    pub fn prefix(mut self, it: String) -> Self {\n    }\n\n    \
                          pub fn wait<T: Into<u8>>(\n        mut self,\n        it: T,\n    ) -> Self {}\n\n    \
                          pub fn build(self) -> Store {}\n}\n\nimpl Changes {\n    pub fn set(mut self) {}\n}\n\n\
                          impl Default for StoreBuilder {\n    pub fn no(mut self) {}\n}\n";

    fn findings(readme: &str, is_published: bool) -> Vec<String> {
        let tree = Tree::of([("redis/src/builder.rs", SOURCE), ("redis/README.md", readme)]);
        let member = Package { folder: "redis".to_owned(), is_published, ..Package::default() };
        check(&tree, &[member])
    }

    #[test]
    fn a_setter_that_no_table_lists_is_named() {
        assert!(findings("| `prefix` | none |\n| `wait(count)` | 1 |\n", true).is_empty());
        assert_eq!(
            findings("`prefix` is in no table\n| `wait` | 1 |\n", true),
            ["redis/src/builder.rs: `prefix` is a setting: add it and its default to a table in \
                 redis/README.md"]
        );
        assert!(findings("", false).is_empty(), "nothing is promised");
    }
}
