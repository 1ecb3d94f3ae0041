use std::process::ExitCode;

use crate::command;

/// `cargo xtask bench`: builds and starts the program in `benchmarks/`, which is no member of the
/// workspace, with the same words.
pub(crate) fn main(words: &[&str]) -> ExitCode {
    let Some(root) = crate::root() else {
        return crate::misunderstood("the workspace is not known: start this by `cargo xtask`");
    };
    let start = ["run", "--release", "--locked", "--manifest-path", "benchmarks/Cargo.toml"];
    let words = [&start, ["--", "bench"].as_slice(), words].concat();
    match command::run(&mut command::cargo(&root, &words)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
