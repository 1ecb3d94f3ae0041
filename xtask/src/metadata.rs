use std::path::Path;

use serde_json::Value;

use crate::command;

/// A package, as `cargo metadata` describes it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) rust_version: Option<String>,
    /// Relative to the root of the workspace; absolute for a package from elsewhere.
    pub(crate) folder: String,
    pub(crate) features: Vec<String>,
    /// The names of its dependencies, without those of its tests.
    pub(crate) dependencies: Vec<String>,
    /// Whether it is for a registry.
    pub(crate) is_published: bool,
    /// What a registry shows of a package and its manifest does not set.
    pub(crate) unset: Vec<&'static str>,
}

/// What a registry shows of a package. There is no address of the repository yet.
const SHOWN: [&str; 7] =
    ["categories", "description", "documentation", "keywords", "license", "readme", "rust_version"];

/// The members of the workspace. Needs no registry.
pub(crate) fn members(root: &Path) -> Result<Vec<Package>, String> {
    read(root, "--no-deps")
}

/// The members that are for a registry.
pub(crate) fn published(root: &Path) -> Result<Vec<Package>, String> {
    let mut members = members(root)?;
    members.retain(|member| member.is_published);
    Ok(members)
}

/// The members and all packages that they depend on, for every feature, platform and test.
pub(crate) fn all(root: &Path) -> Result<Vec<Package>, String> {
    read(root, "--all-features")
}

fn read(root: &Path, option: &str) -> Result<Vec<Package>, String> {
    let words = ["metadata", "--format-version=1", option];
    parse(&command::capture(&mut command::cargo(root, &words))?)
}

fn parse(json: &str) -> Result<Vec<Package>, String> {
    let value: Value = serde_json::from_str(json)
        .map_err(|error| format!("the output of `cargo metadata` is not JSON: {error}"))?;
    packages(&value).ok_or_else(|| {
        "`cargo metadata` has changed its format: adapt xtask/src/metadata.rs".to_owned()
    })
}

fn packages(value: &Value) -> Option<Vec<Package>> {
    let root = value.get("workspace_root")?.as_str()?;
    value.get("packages")?.as_array()?.iter().map(|package| Package::read(package, root)).collect()
}

impl Package {
    fn read(value: &Value, root: &str) -> Option<Self> {
        let manifest = text(value, "manifest_path")?;
        let folder = Path::new(&manifest).parent()?;
        let dependencies = value.get("dependencies")?.as_array()?.iter();
        Some(Self {
            name: text(value, "name")?,
            version: text(value, "version")?,
            rust_version: text(value, "rust_version"),
            folder: folder.strip_prefix(root).unwrap_or(folder).to_string_lossy().into_owned(),
            features: value.get("features")?.as_object()?.keys().cloned().collect(),
            dependencies: dependencies
                .filter(|it| text(it, "kind").as_deref() != Some("dev"))
                .map(|it| text(it, "name"))
                .collect::<Option<_>>()?,
            is_published: value.get("publish").is_none_or(Value::is_null),
            unset: SHOWN.into_iter().filter(|name| is_unset(value.get(name))).collect(),
        })
    }
}

fn is_unset(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value.is_null() || value.as_array().is_some_and(Vec::is_empty))
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{
        "workspace_root": "/w",
        "packages": [
            {"name": "core", "version": "0.1.0", "rust_version": "1.89",
             "manifest_path": "/w/crates/core/Cargo.toml", "features": {"default": [], "tls": []},
             "dependencies": [{"name": "serde", "kind": null}, {"name": "kit", "kind": "dev"}],
             "publish": null, "keywords": [], "categories": ["web-programming"], "license": "MIT",
             "description": "The core", "documentation": null, "readme": "README.md"},
            {"name": "serde", "version": "1.0.0", "rust_version": null,
             "manifest_path": "/r/serde/Cargo.toml", "features": {}, "dependencies": [], "publish": []}
        ]
    }"#;

    #[test]
    fn a_package_has_its_folder_features_and_dependencies() {
        let packages = parse(JSON).unwrap();
        assert_eq!(packages[0].folder, "crates/core");
        assert_eq!(packages[0].features, ["default", "tls"]);
        assert_eq!(packages[0].rust_version.as_deref(), Some("1.89"));
        assert_eq!(packages[0].dependencies, ["serde"], "`kit` is only for tests");
        assert_eq!(packages[1].folder, "/r/serde");
    }

    #[test]
    fn a_package_says_whether_it_is_published_and_what_is_not_set() {
        let packages = parse(JSON).unwrap();
        assert!(packages[0].is_published);
        assert_eq!(packages[0].unset, ["documentation", "keywords"]);
        assert!(!packages[1].is_published, "an empty list of registries");
    }

    #[test]
    fn another_format_is_an_error_and_not_an_empty_workspace() {
        assert!(parse("{}").unwrap_err().contains("has changed its format"));
        assert!(parse("error: no").unwrap_err().contains("is not JSON"));
    }
}
