use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use crate::command;

/// The files that git tracks: path from the root, with `/`, and text. A binary file has an empty text.
#[derive(Debug)]
pub(super) struct Tree(BTreeMap<String, String>);

impl Tree {
    /// Reads the files from the disk. Skips tracked files that were deleted.
    pub(super) fn read(root: &Path) -> Result<Self, String> {
        // In a container the folder may belong to another user.
        let mut git = Command::new("git");
        git.current_dir(root).args(["-c", "safe.directory=*", "ls-files", "-z"]);
        let names = command::capture(&mut git)?;
        let mut texts = BTreeMap::new();
        for name in names.split_terminator('\0') {
            match fs::read(root.join(name)) {
                Ok(bytes) => {
                    texts.insert(name.to_owned(), String::from_utf8(bytes).unwrap_or_default());
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(format!("{name} cannot be read: {error}")),
            }
        }
        Ok(Self(texts))
    }

    /// Path and text of the files whose path ends with `ending`.
    pub(super) fn files<'a>(
        &'a self,
        ending: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
        self.0
            .iter()
            .filter(move |(path, _)| path.ends_with(ending))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// Whether `path` is a file, or a folder with files. The root is the empty path.
    pub(super) fn has(&self, path: &str) -> bool {
        let is_folder = |file: &String| {
            file.strip_prefix(path).is_some_and(|rest| path.is_empty() || rest.starts_with('/'))
        };
        self.0.contains_key(path) || self.0.keys().any(is_folder)
    }
}

#[cfg(test)]
impl Tree {
    pub(super) fn of<const N: usize>(files: [(&str, &str); N]) -> Self {
        Self(files.map(|(path, text)| (path.to_owned(), text.to_owned())).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_tracks_its_manifest_and_not_target() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let tree = Tree::read(root).unwrap();
        assert!(tree.text("Cargo.toml").unwrap().contains("[workspace]"));
        assert!(!tree.has("target"));
    }

    #[test]
    fn a_folder_exists_if_it_has_a_file() {
        let tree = Tree::of([("docs/wire.md", "")]);
        assert!(tree.has("docs") && tree.has("docs/wire.md") && tree.has(""));
        assert!(!tree.has("doc") && !tree.has("docs/wire"));
    }
}
