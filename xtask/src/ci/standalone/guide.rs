use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::build;
use crate::ci::Outcome;
use crate::ci::markdown;
use crate::command;

const GUIDE: &str = "docs/writing-a-driver.md";

/// Where the crate of the guide is written, relative to the root. Git does not track it.
const FOLDER: &str = "target/writing-a-driver";

const MANIFEST: &str = "target/writing-a-driver/Cargo.toml";

/// The files that one stage of the guide adds or replaces, by path.
type Stage<'a> = BTreeMap<&'a str, String>;

/// Checks the crate of the guide with its tests, stage by stage, and runs the tests of the last stage.
pub(super) fn check(root: &Path) -> Outcome {
    let failed = |error| format!("the crate of {GUIDE} cannot be written: {error}");
    let text = fs::read_to_string(root.join(GUIDE)).map_err(failed)?;
    let folder = root.join(FOLDER);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(failed)?;
    }
    fs::create_dir_all(&folder).map_err(failed)?;
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).map_err(failed)?;

    let stages = stages(&text)?;
    for (number, stage) in (1..).zip(&stages) {
        for (path, content) in stage {
            let content =
                if *path == "Cargo.toml" { &with_local_crates(root, content) } else { content };
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap_or(&folder)).map_err(failed)?;
            fs::write(path, content).map_err(failed)?;
        }
        let words: &[&str] =
            if number == stages.len() { &["test"] } else { &["check", "--all-targets"] };
        command::run(&mut build(root, words, &["--manifest-path", MANIFEST]))
            .map_err(|error| format!("{GUIDE}, stage {number} of {}: {error}", stages.len()))?;
    }
    Ok(())
}

/// The manifest of the guide takes our crates from the registry. This takes them from this repository, in
/// the version that the guide asks for.
fn with_local_crates(root: &Path, manifest: &str) -> String {
    let local = |line: &str| match line.split_once(" = ") {
        Some((name @ ("pycket-core" | "pycket-testkit"), version)) => {
            let path = root.join(name);
            match version.strip_prefix("{ ") {
                Some(rest) => format!("{name} = {{ path = {path:?}, {rest}\n"),
                None => format!("{name} = {{ path = {path:?}, version = {version} }}\n"),
            }
        }
        _ => format!("{line}\n"),
    };
    manifest.lines().map(local).collect()
}

/// A file that the current stage has already begins the next stage.
fn stages(text: &str) -> Result<Vec<Stage<'_>>, String> {
    let mut stages = vec![Stage::new()];
    for (path, content) in files(text)? {
        match stages.last_mut() {
            Some(stage) if !stage.contains_key(path) => drop(stage.insert(path, content)),
            _ => stages.push(Stage::from([(path, content)])),
        }
    }
    Ok(stages)
}

/// Every block of Rust or TOML is a file. Its path is the last code span in the paragraph above it.
fn files(text: &str) -> Result<Vec<(&str, String)>, String> {
    let mut files = Vec::new();
    let mut path = None;
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        match markdown::fence(line) {
            Some(language) => {
                let block = lines.by_ref().take_while(|(_, line)| markdown::fence(line).is_none());
                let content: String = block.map(|(_, line)| format!("{line}\n")).collect();
                if language.starts_with("rust") || language == "toml" {
                    let path = path.take().ok_or_else(|| {
                        format!("{GUIDE}:{number}: name the file above the block, as `src/lib.rs`")
                    })?;
                    files.push((path, content));
                }
            }
            None if line.trim().is_empty() => {}
            None => path = markdown::code_spans(line).filter(|code| is_file(code)).last().or(path),
        }
    }
    Ok(files)
}

fn is_file(code: &str) -> bool {
    [".rs", ".toml"].iter().any(|ending| code.ends_with(ending)) && !code.contains(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# A\n\nThe `Cargo.toml`:\n\n```toml\n[package]\n```\n\n```console\n$ ls\n```\n\n\
                        First `src/lib.rs`\nis this.\n\n```rust\nstruct A;\n```\n\n\
                        It is `src/lib.rs` again:\n\n```rust\nstruct B;\n```\n";

    #[test]
    fn a_block_of_code_is_the_file_that_is_named_above_it() {
        let files = files(TEXT).unwrap();
        let paths: Vec<_> = files.iter().map(|(path, _)| *path).collect();
        assert_eq!(paths, ["Cargo.toml", "src/lib.rs", "src/lib.rs"]);
        assert_eq!(files[1].1, "struct A;\n");
    }

    #[test]
    fn a_file_that_is_replaced_begins_a_stage() {
        let stages = stages(TEXT).unwrap();
        let sizes: Vec<_> = stages.iter().map(BTreeMap::len).collect();
        assert_eq!(sizes, [2, 1]);
        assert_eq!(stages[1]["src/lib.rs"], "struct B;\n");
    }

    #[test]
    fn our_crates_are_local_in_the_version_that_the_guide_asks_for() {
        let manifest = "serde = \"1\"\npycket-core = \"0.1\"\n\
                        pycket-testkit = { version = \"0.1\", features = [\"tls\"] }\n";
        let local = with_local_crates(Path::new("/here"), manifest);
        let core = "pycket-core = { path = \"/here/pycket-core\", version = \"0.1\" }";
        let kit = "pycket-testkit = { path = \"/here/pycket-testkit\", version = \"0.1\", \
                   features = [\"tls\"] }";
        assert_eq!(local, format!("serde = \"1\"\n{core}\n{kit}\n"));
    }

    #[test]
    fn a_block_without_a_file_is_an_error_with_its_line() {
        let error = files("# A\n\nSome words.\n\n```rust\nstruct A;\n```\n").unwrap_err();
        assert!(error.starts_with("docs/writing-a-driver.md:5: name the file"), "{error}");
    }
}
