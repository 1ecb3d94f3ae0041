use std::fs;
use std::path::Path;

use super::standalone::build;
use super::{Outcome, outcome};
use crate::command::{self, cargo, run};
use crate::metadata::{self, Package};

/// The packages, unpacked, as a workspace. Git does not track it.
pub(super) const FOLDER: &str = "target/packages";

pub(super) const MANIFEST: &str = "target/packages/Cargo.toml";

/// What every package contains beside its sources.
const FILES: [&str; 3] = ["LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// Packs every published crate as for a release, and builds the packages against each other.
///
/// `cargo package` can build them, too, but with a folder of dependencies for each, which takes minutes.
pub(super) fn check(root: &Path) -> Outcome {
    let members = unpack(root)?;
    let read = |path: &str| fs::read_to_string(root.join(FOLDER).join(path)).ok();
    let mut failures = findings(&members, read);
    for member in last_in_order(&members) {
        let words = ["check", "--offline", "--all-features", "--manifest-path", MANIFEST];
        failures.extend(run(&mut build(root, &words, &["--package", &member.name])).err());
    }
    outcome(&failures)
}

/// Packs and unpacks the published members, and returns them. Needs no network if the dependencies are
/// downloaded.
pub(super) fn unpack(root: &Path) -> Result<Vec<Package>, String> {
    let mut members = metadata::members(root)?;
    members.retain(|member| member.is_published);
    // Cargo warns of each test that a package does not contain.
    let words = ["package", "--quiet", "--offline", "--locked", "--allow-dirty", "--no-verify"];
    let mut package = cargo(root, &words);
    package.args(["--target-dir", "target"]);
    package.args(members.iter().flat_map(|member| ["--package", &member.name]));
    run(&mut package)?;

    let failed = |error| format!("{FOLDER} cannot be written: {error}");
    let folder = root.join(FOLDER);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(failed)?;
    }
    fs::create_dir_all(&folder).map_err(failed)?;
    for member in &members {
        let file = format!("target/package/{}.crate", unpacked(member));
        // All files of a package have the same date. Without `m`, cargo would see no change.
        let mut tar = std::process::Command::new("tar");
        command::capture(tar.current_dir(root).args(["-xzmf", &file, "-C", FOLDER]))?;
    }
    // With the same lock file, builds of the workspace are reused.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).map_err(failed)?;
    fs::write(root.join(MANIFEST), workspace(&members)).map_err(failed)?;
    Ok(members)
}

/// The manifest of a workspace in which each package takes the others instead of those of the registry.
fn workspace(members: &[Package]) -> String {
    let folders: Vec<String> = members.iter().map(|it| format!("{:?}", unpacked(it))).collect();
    let patches: String = members
        .iter()
        .map(|it| format!("{} = {{ path = {:?} }}\n", it.name, unpacked(it)))
        .collect();
    format!(
        "[workspace]\nresolver = \"3\"\nmembers = [{}]\n\n[patch.crates-io]\n{patches}",
        folders.join(", ")
    )
}

/// The folder in a package. It is also the name of its file.
fn unpacked(member: &Package) -> String {
    format!("{}-{}", member.name, member.version)
}

/// The metadata and files that a package lacks. `read` returns the text of an unpacked file.
fn findings(members: &[Package], read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut findings = Vec::new();
    for member in members {
        let folder = &member.folder;
        findings.extend(
            member.unset.iter().map(|name| format!("{folder}/Cargo.toml: `{name}` is not set")),
        );
        let read = |file: &str| read(&format!("{}/{file}", unpacked(member)));
        let missing = FILES.iter().filter(|file| read(file).is_none());
        findings.extend(missing.map(|file| {
            format!(
                "{folder}: its package has no {file}: add the file, or a link to that of the root"
            )
        }));
        let oldest = member.rust_version.as_deref().unwrap_or_default();
        let sentence = format!("Rust {oldest} or later");
        if read("README.md").is_some_and(|text| !text.contains(&sentence)) {
            findings.push(format!("{folder}/README.md: say that the crate needs {sentence}"));
        }
    }
    findings
}

/// The names of all packages: in each group one that no other package depends on, and its dependencies. A group needs
/// the same builds of other crates as that package alone, in the step `package`.
pub(super) fn groups(members: &[Package]) -> Vec<Vec<&str>> {
    let mut rest: Vec<&str> = members.iter().map(|it| it.name.as_str()).collect();
    let mut groups: Vec<Vec<&str>> = Vec::new();
    for last in last_in_order(members) {
        let is_needed = |name: &mut &str| last.dependencies.iter().any(|it| it == name);
        let needed = rest.extract_if(.., |name| *name == last.name || is_needed(name));
        groups.push(needed.collect());
    }
    groups.push(rest);
    groups.retain(|group| !group.is_empty());
    groups
}

/// The packages that no other one depends on. To build them builds all.
fn last_in_order(members: &[Package]) -> impl Iterator<Item = &Package> {
    members
        .iter()
        .filter(|member| members.iter().all(|other| !other.dependencies.contains(&member.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, dependencies: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            rust_version: Some("1.89".to_owned()),
            folder: format!("crates/{name}"),
            dependencies: dependencies.iter().map(|it| (*it).to_owned()).collect(),
            ..Package::default()
        }
    }

    #[test]
    fn a_package_without_a_licence_file_or_metadata_is_named() {
        let mut core = member("core", &[]);
        let text = "It needs Rust 1.89 or later.";
        assert!(findings(&[core.clone()], |_| Some(text.to_owned())).is_empty());
        core.unset = vec!["documentation"];
        let read = |file: &str| (file != "core-0.1.0/LICENSE-MIT").then(|| text.to_owned());
        assert_eq!(
            findings(&[core], read),
            [
                "crates/core/Cargo.toml: `documentation` is not set",
                "crates/core: its package has no LICENSE-MIT: add the file, or a link to that of the root",
            ]
        );
    }

    #[test]
    fn a_readme_that_names_another_oldest_rust_is_named() {
        let read = |_: &str| Some("It needs Rust 1.88 or later.".to_owned());
        let expected = "crates/core/README.md: say that the crate needs Rust 1.89 or later";
        assert_eq!(findings(&[member("core", &[])], read), [expected]);
    }

    #[test]
    fn the_packages_take_each_other_and_not_those_of_the_registry() {
        let manifest = workspace(&[member("core", &[]), member("web", &["core"])]);
        assert!(manifest.contains("members = [\"core-0.1.0\", \"web-0.1.0\"]"), "{manifest}");
        let patches = "core = { path = \"core-0.1.0\" }\nweb = { path = \"web-0.1.0\" }\n";
        assert!(manifest.ends_with(&format!("[patch.crates-io]\n{patches}")), "{manifest}");
    }

    #[test]
    fn every_package_is_in_one_group() {
        let members = [
            member("core", &[]),
            member("store", &["core"]),
            member("layer", &["store"]),
            member("web", &["layer", "core"]),
            member("kit", &["core"]),
        ];
        assert_eq!(groups(&members), [vec!["core", "layer", "web"], vec!["kit"], vec!["store"]]);
    }

    #[test]
    fn only_packages_that_no_other_one_needs_are_built_by_name() {
        let members =
            [member("core", &[]), member("web", &["core", "serde"]), member("kit", &["core"])];
        let last: Vec<_> = last_in_order(&members).map(|it| it.name.as_str()).collect();
        assert_eq!(last, ["web", "kit"]);
    }
}
