use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// Tests that run side by side, on a machine with fewer cores than this. Most of the tests wait: for a
/// server that starts, a timeout, a failover.
const TEST_THREADS: usize = 8;

/// `cargo` with `words`, in the folder `root`.
///
/// `cargo run` sets variables about the package of this program. They are removed here: build scripts
/// that watch them would run again in this command, and once more in the developer's next `cargo test`.
pub(crate) fn cargo(root: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).args(words);
    for (name, _) in env::vars_os() {
        if describes_a_package(&name.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    command
}

/// Lets more tests run side by side than there are cores, unless the variable of the test programs is set.
pub(crate) fn more_test_threads(test: &mut Command) {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    if env::var_os("RUST_TEST_THREADS").is_none() && cores < TEST_THREADS {
        test.env("RUST_TEST_THREADS", TEST_THREADS.to_string());
    }
}

/// Prints the command, runs it and waits. The error contains the command and its exit status.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let line = line(command);
    println!("$ {line}");
    let status = command.status().map_err(|error| format!("`{line}` did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` failed: {status}")) }
}

/// Runs the command and returns its standard output. The error contains its standard error.
pub(crate) fn capture(command: &mut Command) -> Result<String, String> {
    let line = line(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`{line}` did not start: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(format!("`{line}` failed: {}\n{}", output.status, stderr.trim_end()))
    }
}

fn describes_a_package(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|start| variable.starts_with(start))
}

pub(crate) fn line(command: &Command) -> String {
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
    fn the_line_has_settings_and_arguments_and_no_machine_path() {
        let mut command = Command::new("/opt/rust/bin/cargo");
        command.args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings").env_remove("CI");
        assert_eq!(line(&command), "RUSTDOCFLAGS=\"-D warnings\" cargo doc --no-deps");
    }

    #[test]
    fn the_error_names_a_missing_program() {
        let error = run(&mut Command::new("no-such-program")).unwrap_err();
        assert!(error.starts_with("`no-such-program` did not start: "), "{error}");
    }

    #[test]
    fn the_error_names_the_failed_command_and_has_its_stderr() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let error = capture(&mut cargo(root, &["no-such-subcommand"])).unwrap_err();
        assert!(error.starts_with("`cargo no-such-subcommand` failed: exit status: "), "{error}");
        assert!(error.contains("no such command"), "{error}");
    }

    #[test]
    fn only_variables_about_a_package_are_removed() {
        assert!(describes_a_package("CARGO_PKG_NAME"));
        assert!(describes_a_package("CARGO_MANIFEST_DIR"));
        assert!(!describes_a_package("CARGO_TARGET_DIR"));
        assert!(!describes_a_package("CARGO_HOME"));
    }
}
