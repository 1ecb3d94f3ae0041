#![doc = include_str!("../README.md")]
#![expect(clippy::print_stdout, reason = "talking to whoever runs it is what this program is for")]

mod bench;
mod ci;
mod command;
mod metadata;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <command>

  ci             run every check
  ci <step>...   run only these
  ci --list      show the steps
  bench          measure everything, and write docs/performance.json and its chart
  bench --quick  measure in under five minutes, and print only
  help           show this";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["help" | "--help" | "-h", ..] | ["ci", "--help" | "-h"] => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        ["ci", rest @ ..] => ci::main(rest),
        ["bench", rest @ ..] => bench::main(rest),
        [unknown, ..] => misunderstood(&format!("unknown command `{unknown}`\n\n{USAGE}")),
    }
}

/// The workspace's folder; `None` if cargo did not start this program.
fn root() -> Option<PathBuf> {
    Some(Path::new(&env::var_os("CARGO_MANIFEST_DIR")?).parent()?.to_owned())
}

fn misunderstood(message: &str) -> ExitCode {
    eprintln!("xtask: {message}");
    ExitCode::from(2)
}
