#![doc = include_str!("../README.md")]
#![expect(clippy::print_stdout, reason = "the program reports on standard output")]

mod ci;
mod command;
mod fuzz;
mod metadata;
mod versions;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <command>

  ci             run every check
  ci <step>...   run only these steps
  ci --list      list the steps
  bench          run all measurements, and write docs/performance.json and two charts
  bench --quick  run shorter measurements in about ten minutes, and only print the results
  soak           run many clients and many faults at once for a minute, and judge the responses
  soak --help    list its options
  versions       run the tests of the drivers against the servers on the PATH
  versions <path>...
                 run them against these servers: any version of redis-server, valkey-server, memcached
  fuzz           run all fuzz targets, ten minutes together; it needs cargo-fuzz
  fuzz --seconds <number> --target <name>
                 run them for so long together, or only this one
  help           print this text";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["help" | "--help" | "-h", ..] | ["ci", "--help" | "-h"] => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        ["ci", rest @ ..] => ci::main(rest),
        ["bench", rest @ ..] => {
            program(&["--manifest-path", "benchmarks/Cargo.toml"], &[&["bench"], rest].concat())
        }
        ["versions", option, ..] if option.starts_with('-') => {
            usage_error(&format!("unknown option `{option}`\n\n{USAGE}"))
        }
        ["versions", paths @ ..] => versions::main(paths),
        ["fuzz", rest @ ..] => fuzz::main(rest),
        ["soak", rest @ ..] => program(&["--package", "pycket-soak"], rest),
        [unknown, ..] => usage_error(&format!("unknown command `{unknown}`\n\n{USAGE}")),
    }
}

/// Builds and starts a program.
fn program(package: &[&str], words: &[&str]) -> ExitCode {
    let words = [&["run", "--release", "--locked"], package, &["--"], words].concat();
    exit_code(root().and_then(|root| command::run(&mut command::cargo(&root, &words))))
}

/// Prints the error, if there is one.
fn exit_code(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace. Fails if this program was not started by cargo.
fn root() -> Result<PathBuf, String> {
    let package = env::var_os("CARGO_MANIFEST_DIR");
    let root = package.as_deref().and_then(|folder| Path::new(folder).parent());
    root.map(Path::to_owned).ok_or_else(|| {
        "CARGO_MANIFEST_DIR is not set: start this program with `cargo xtask`".into()
    })
}

fn usage_error(message: &str) -> ExitCode {
    eprintln!("xtask: {message}");
    ExitCode::from(2)
}
