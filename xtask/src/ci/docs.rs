use std::path::{Path, PathBuf};
use std::{env, fs};

use super::{Outcome, outcome};
use crate::command::{cargo, run};
use crate::metadata::{self, Package};

/// Where the documentation of a released crate is.
const HOST: &str = "https://docs.rs/";

/// Builds the documentation with all features, as docs.rs does, and checks that the links of the READMEs to it lead to
/// pages that exist.
pub(super) fn check(root: &Path) -> Outcome {
    let members = metadata::published(root)?;
    let folder = folder(root);
    for member in &members {
        let pages = folder.join(module(&member.name));
        if pages.exists() {
            fs::remove_dir_all(&pages)
                .map_err(|error| format!("old documentation cannot be removed: {error}"))?;
        }
    }
    // With the examples, the dependencies have the features that the step `clippy` has built.
    let words = ["doc", "--workspace", "--no-deps", "--all-features", "--lib", "--examples"];
    run(cargo(root, &words).env("RUSTDOCFLAGS", "-D warnings"))?;

    let readmes = members.iter().map(|it| format!("{}/README.md", it.folder));
    let mut findings = Vec::new();
    for path in ["README.md".to_owned()].into_iter().chain(readmes) {
        let text = fs::read_to_string(root.join(&path))
            .map_err(|error| format!("{path} cannot be read: {error}"))?;
        let broken =
            broken_links(&text, &members, |page| fs::read_to_string(folder.join(page)).ok());
        findings.extend(broken.iter().map(|link| {
            format!(
                "{path}: the link to `{HOST}{link}` is broken: the documentation has no such page"
            )
        }));
    }
    outcome(&findings)
}

/// Where cargo writes the pages.
fn folder(root: &Path) -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root.join(target).join("doc")
}

fn module(package: &str) -> String {
    package.replace('-', "_")
}

/// The links to the documentation of `members` that lead to no page. `read` returns the text of a page.
fn broken_links<'a>(
    text: &'a str,
    members: &[Package],
    read: impl Fn(&str) -> Option<String>,
) -> Vec<&'a str> {
    let ends_link = |letter: char| letter.is_whitespace() || ")>]\"`,".contains(letter);
    let links = text.split(HOST).skip(1).filter_map(|rest| rest.split(ends_link).next());
    let is_broken = |link: &&str| {
        let (package, page) = link.split_once('/').unwrap_or((link, ""));
        if !members.iter().any(|member| member.name == package) {
            // Pages of other crates are not built here. One that has the name of a member is a mistake.
            return package.starts_with("pycket");
        }
        let Some(page) = page.strip_prefix("latest/") else { return !page.is_empty() };
        let (page, anchor) = page.split_once('#').unwrap_or((page, ""));
        let text = read(page);
        !text.is_some_and(|text| anchor.is_empty() || text.contains(&format!("id=\"{anchor}\"")))
    };
    links.filter(is_broken).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(text: &str) -> Vec<&str> {
        let member = Package { name: "pycket-core".to_owned(), ..Package::default() };
        let read = |page: &str| {
            (page == "pycket_core/struct.Ttl.html").then(|| "<h2 id=\"method.new\">".to_owned())
        };
        broken_links(text, &[member], read)
    }

    #[test]
    fn links_to_a_crate_an_item_and_a_method_pass() {
        let text = "[a](https://docs.rs/pycket-core) <https://docs.rs/serde/latest/serde/x.html>\n\
                    [b]: https://docs.rs/pycket-core/latest/pycket_core/struct.Ttl.html\n\
                    [c]: https://docs.rs/pycket-core/latest/pycket_core/struct.Ttl.html#method.new\n";
        assert!(broken(text).is_empty());
    }

    #[test]
    fn links_to_a_missing_page_method_and_crate_are_named() {
        for link in [
            "pycket-core/latest/pycket_core/struct.Tll.html",
            "pycket-core/latest/pycket_core/struct.Ttl.html#method.old",
            "pycket-core/0.1.0/pycket_core/struct.Ttl.html",
            "pycket-cookies",
        ] {
            assert_eq!(broken(&format!("[a](https://docs.rs/{link}) and more")), [link]);
        }
    }
}
