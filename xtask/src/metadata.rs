use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::command;

/// What cargo knows of the workspace.
#[derive(Debug)]
pub(crate) struct Metadata {
    packages: BTreeMap<Id, Package>,
    members: Vec<Id>,
    /// Per package, those it needs to be built and to run: all but what only its tests need.
    needs: BTreeMap<Id, Vec<Id>>,
}

/// Cargo's own name of a package, unique in the whole graph.
pub(crate) type Id = String;

#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) rust_version: Option<String>,
    /// Its folder, relative to the workspace's root; absolute for a package from elsewhere.
    pub(crate) folder: String,
    pub(crate) features: Vec<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) only_for_tests: bool,
}

impl Metadata {
    /// The members alone; asks no registry.
    pub(crate) fn of_members(root: &Path) -> Result<Self, String> {
        Self::read(root, &["metadata", "--format-version=1", "--no-deps"])
    }

    /// The members and whatever they depend on, with all features and for every platform.
    pub(crate) fn of_everything(root: &Path) -> Result<Self, String> {
        Self::read(root, &["metadata", "--format-version=1", "--all-features"])
    }

    pub(crate) fn from_json(json: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(json)
            .map_err(|error| format!("cargo metadata is not JSON: {error}"))?;
        Self::from_value(&value)
            .ok_or_else(|| "cargo metadata has another form than this program reads".to_owned())
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (&Id, &Package)> {
        self.members.iter().filter_map(|id| self.packages.get_key_value(id))
    }

    pub(crate) fn package(&self, id: &Id) -> Option<&Package> {
        self.packages.get(id)
    }

    /// What `id` itself needs to be built and to run.
    pub(crate) fn needs(&self, id: &Id) -> &[Id] {
        self.needs.get(id).map_or(&[], Vec::as_slice)
    }

    fn read(root: &Path, words: &[&str]) -> Result<Self, String> {
        Self::from_json(&command::capture(&mut command::cargo(root, words))?)
    }

    fn from_value(value: &Value) -> Option<Self> {
        let root = value.get("workspace_root")?.as_str()?;
        let packages = array(value, "packages")?
            .iter()
            .map(|package| Some((text(package, "id")?, Package::from_value(package, root)?)))
            .collect::<Option<_>>()?;
        let members =
            array(value, "workspace_members")?.iter().map(string).collect::<Option<_>>()?;
        let nodes = value.get("resolve").and_then(|resolve| array(resolve, "nodes"));
        let needs = nodes.unwrap_or_default().iter().map(node).collect::<Option<_>>()?;
        Some(Self { packages, members, needs })
    }
}

impl Package {
    fn from_value(value: &Value, root: &str) -> Option<Self> {
        let manifest = text(value, "manifest_path")?;
        let folder = Path::new(&manifest).parent()?;
        let folder = folder.strip_prefix(root).unwrap_or(folder);
        let dependencies = array(value, "dependencies")?.iter().map(|dependency| {
            let name = text(dependency, "name")?;
            Some(Dependency { name, only_for_tests: is_dev(dependency) })
        });
        Some(Self {
            name: text(value, "name")?,
            version: text(value, "version")?,
            rust_version: text(value, "rust_version"),
            folder: folder.to_string_lossy().into_owned(),
            features: value.get("features")?.as_object()?.keys().cloned().collect(),
            dependencies: dependencies.collect::<Option<_>>()?,
        })
    }
}

fn node(value: &Value) -> Option<(Id, Vec<Id>)> {
    let needed = array(value, "deps")?
        .iter()
        .filter(|dep| array(dep, "dep_kinds").is_none_or(|kinds| !kinds.iter().all(is_dev)));
    Some((text(value, "id")?, needed.map(|dep| text(dep, "pkg")).collect::<Option<_>>()?))
}

fn is_dev(dependency: &Value) -> bool {
    dependency.get("kind").and_then(Value::as_str) == Some("dev")
}

fn array<'a>(value: &'a Value, name: &str) -> Option<&'a [Value]> {
    value.get(name)?.as_array().map(Vec::as_slice)
}

fn text(value: &Value, name: &str) -> Option<String> {
    string(value.get(name)?)
}

fn string(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{
        "workspace_root": "/w",
        "workspace_members": ["path+core"],
        "packages": [
            {"id": "path+core", "name": "core", "version": "0.1.0", "rust_version": "1.89",
             "manifest_path": "/w/crates/core/Cargo.toml", "features": {"default": [], "tls": []},
             "dependencies": [{"name": "serde", "kind": null}, {"name": "kit", "kind": "dev"}]},
            {"id": "serde 1", "name": "serde", "version": "1.0.0", "rust_version": null,
             "manifest_path": "/r/serde/Cargo.toml", "features": {}, "dependencies": []}
        ],
        "resolve": {"nodes": [{"id": "path+core", "deps": [
            {"pkg": "serde 1", "dep_kinds": [{"kind": "dev"}, {"kind": null}]},
            {"pkg": "kit 1", "dep_kinds": [{"kind": "dev"}]}
        ]}]}
    }"#;

    #[test]
    fn a_member_has_its_folder_features_and_dependencies() {
        let metadata = Metadata::from_json(JSON).unwrap();
        let (_, core) = metadata.members().next().unwrap();
        assert_eq!(core.folder, "crates/core");
        assert_eq!(core.features, ["default", "tls"]);
        assert_eq!(core.rust_version.as_deref(), Some("1.89"));
        let for_tests: Vec<_> = core.dependencies.iter().map(|it| it.only_for_tests).collect();
        assert_eq!(for_tests, [false, true]);
    }

    #[test]
    fn what_only_tests_need_is_not_needed() {
        let metadata = Metadata::from_json(JSON).unwrap();
        assert_eq!(metadata.needs(&"path+core".to_owned()), ["serde 1"]);
    }

    #[test]
    fn another_form_is_an_error_not_an_empty_workspace() {
        assert!(Metadata::from_json("{}").unwrap_err().contains("another form"));
        assert!(Metadata::from_json("error: no").unwrap_err().contains("not JSON"));
    }
}
