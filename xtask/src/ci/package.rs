use std::fs;
use std::path::Path;

use super::standalone::build;
use super::{Outcome, outcome};
use crate::command::{self, cargo, run};
use crate::metadata::{self, Package};

/// The packages, unpacked, as a workspace. Git does not track it.
pub(super) const FOLDER: &str = "target/packages";

const MANIFEST: &str = "target/packages/Cargo.toml";

/// Arguments of cargo. The step `crates` builds each crate alone.
pub(super) const OF_ALL_PACKAGES: [&str; 5] =
    ["--offline", "--workspace", "--all-features", "--manifest-path", MANIFEST];

/// What every package contains beside its sources.
const FILES: [&str; 3] = ["LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// Packs every published crate as for a release, and builds the packages against each other.
///
/// `cargo package` can build them, too, but with a folder of dependencies for each, which takes minutes.
pub(super) fn check(root: &Path) -> Outcome {
    let members = unpack(root)?;
    let read = |path: &str| fs::read_to_string(root.join(FOLDER).join(path)).ok();
    let mut failures = findings(&members, read);
    failures.extend(run(&mut build(root, &["check"], &OF_ALL_PACKAGES)).err());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str) -> Package {
        Package {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            rust_version: Some("1.89".to_owned()),
            folder: format!("crates/{name}"),
            ..Package::default()
        }
    }

    #[test]
    fn a_package_without_a_licence_file_or_metadata_is_named() {
        let mut core = member("core");
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
        assert_eq!(findings(&[member("core")], read), [expected]);
    }

    #[test]
    fn the_packages_take_each_other_and_not_those_of_the_registry() {
        let manifest = workspace(&[member("core"), member("web")]);
        assert!(manifest.contains("members = [\"core-0.1.0\", \"web-0.1.0\"]"), "{manifest}");
        let patches = "core = { path = \"core-0.1.0\" }\nweb = { path = \"web-0.1.0\" }\n";
        assert!(manifest.ends_with(&format!("[patch.crates-io]\n{patches}")), "{manifest}");
    }
}
