use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

/// `cargo` with `words`, run in `root`.
///
/// Whatever `cargo run` told this program about its own package is taken away again: build scripts that
/// watch those variables would otherwise run anew here and again in the developer's next `cargo test`.
pub(crate) fn cargo(root: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).args(words);
    for (name, _) in env::vars_os() {
        if is_about_one_package(&name.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    command
}

/// Says what it starts, lets it print, and waits. The error names the command and how it ended.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let line = line(command);
    println!("$ {line}");
    let status = command.status().map_err(|error| format!("`{line}` did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` failed: {status}")) }
}

/// Waits and returns what it wrote to standard output. The error holds what it wrote to standard error.
pub(crate) fn capture(command: &mut Command) -> Result<String, String> {
    let line = line(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`{line}` did not start: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let complaint = String::from_utf8_lossy(&output.stderr);
        Err(format!("`{line}` failed: {}\n{}", output.status, complaint.trim_end()))
    }
}

fn is_about_one_package(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|start| variable.starts_with(start))
}

fn line(command: &Command) -> String {
    let settings = command.get_envs().filter_map(|(name, value)| {
        Some(format!("{}={:?}", name.to_string_lossy(), value?.to_string_lossy()))
    });
    let program = Path::new(command.get_program());
    let program = program.file_stem().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    settings.chain([program]).chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_shows_settings_and_words_and_no_machine_path() {
        let mut command = Command::new("/opt/rust/bin/cargo");
        command.args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings").env_remove("CI");
        assert_eq!(line(&command), "RUSTDOCFLAGS=\"-D warnings\" cargo doc --no-deps");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&mut Command::new("no-such-program")).unwrap_err();
        assert!(error.starts_with("`no-such-program` did not start: "), "{error}");
    }

    #[test]
    fn a_failure_names_the_command_and_shows_its_complaint() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let error = capture(&mut cargo(root, &["no-such-subcommand"])).unwrap_err();
        assert!(error.starts_with("`cargo no-such-subcommand` failed: exit status: "), "{error}");
        assert!(error.contains("no such command"), "{error}");
    }

    #[test]
    fn only_what_cargo_says_of_one_package_is_taken_away() {
        assert!(is_about_one_package("CARGO_PKG_NAME"));
        assert!(is_about_one_package("CARGO_MANIFEST_DIR"));
        assert!(!is_about_one_package("CARGO_TARGET_DIR"));
        assert!(!is_about_one_package("CARGO_HOME"));
    }
}
