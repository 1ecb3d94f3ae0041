#![doc = include_str!("../README.md")]
#![expect(clippy::print_stdout, reason = "talking to whoever runs it is what this program is for")]

mod ci;
mod command;
mod metadata;

use std::env;
use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <command>

  ci             run every check
  ci <step>...   run only these
  ci --list      show the steps
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
        [unknown, ..] => misunderstood(&format!("unknown command `{unknown}`\n\n{USAGE}")),
    }
}

fn misunderstood(message: &str) -> ExitCode {
    eprintln!("xtask: {message}");
    ExitCode::from(2)
}
