use std::path::Path;
use std::process::Command;
use std::{fs, iter};

use super::standalone::build;
use super::{Outcome, outcome};
use crate::command::{self, cargo, run};
use crate::metadata::{self, Package};

/// The packages, unpacked, as a workspace. Git does not track it.
const FOLDER: &str = "target/packages";

const MANIFEST: &str = "target/packages/Cargo.toml";

/// What every package contains beside its sources.
const FILES: [&str; 3] = ["LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// Packs every published crate as for a release, and builds each package alone: without features, and with each feature
/// alone. A build of all together hides a missing feature if another crate enables it.
///
/// `cargo package` builds a package in a folder of its own with all dependencies, which takes minutes. `cargo hack
/// --each-feature` is one more program to build and install.
pub(super) fn check(root: &Path) -> Outcome {
    let members = unpack(root)?;
    let read = |path: &str| fs::read_to_string(root.join(FOLDER).join(path)).ok();
    let mut failures = findings(&members, read);
    for member in &members {
        for features in selections(&member.features) {
            let package = ["--offline", "--manifest-path", MANIFEST, "--package", &member.name];
            let mut clippy = build(root, &["clippy", "--quiet"], &package);
            clippy.args(["--no-default-features", "--features", features, "--", "-D", "warnings"]);
            failures.extend(run(&mut clippy).err());
        }
    }
    outcome(&failures)
}

/// No feature, and each feature alone. No code needs two features at once, and the step `clippy` builds all together.
fn selections(features: &[String]) -> Vec<&str> {
    let named = features.iter().map(String::as_str).filter(|name| *name != "default");
    iter::once("").chain(named).collect()
}

/// Packs and unpacks the published members, and returns them. Needs no network if the dependencies are
/// downloaded.
fn unpack(root: &Path) -> Result<Vec<Package>, String> {
    let members = metadata::published(root)?;
    // Cargo warns of each test that a package does not contain.
    let words = ["package", "--quiet", "--offline", "--locked", "--allow-dirty", "--no-verify"];
    let mut package = cargo(root, &words);
    package.args(["--target-dir", "target"]);
    package.args(members.iter().flat_map(|member| ["--package", &member.name]));
    run(&mut package)?;

    let failed = |error| format!("{FOLDER} cannot be written: {error}");
    let folder = root.join(FOLDER);
    fs::create_dir_all(&folder).map_err(failed)?;
    for member in &members {
        let file = format!("{}.crate", unpacked(member));
        let packed = fs::read(root.join("target/package").join(&file)).map_err(failed)?;
        // Its files have new dates when it is unpacked, so that cargo builds all of it again.
        if fs::read(folder.join(&file)).is_ok_and(|before| before == packed) {
            continue;
        }
        let sources = folder.join(unpacked(member));
        if sources.exists() {
            fs::remove_dir_all(sources).map_err(failed)?;
        }
        // All files of a package have the same date. Without `m`, cargo would see no change.
        let from = format!("../package/{file}");
        command::capture(Command::new("tar").current_dir(&folder).args(["-xzmf", &from]))?;
        fs::write(folder.join(&file), packed).map_err(failed)?;
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

    #[test]
    fn a_package_is_built_without_features_and_with_each() {
        let features = ["a", "default", "b"].map(str::to_owned);
        assert_eq!(selections(&features), ["", "a", "b"]);
        assert_eq!(selections(&[]), [""]);
    }

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
