//! Runs the tests of a driver against several versions of its server.

mod gaps;
mod server;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::command::{self, cargo};
use crate::root;
use server::Server;

/// The servers that are looked for on the `PATH` if the command line names none.
const ON_THE_PATH: [&str; 3] = ["redis-server", "valkey-server", "memcached"];

/// The tests that ran with one server.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    passed: usize,
    failed: usize,
    left_out: usize,
}

pub(crate) fn main(paths: &[&str]) -> ExitCode {
    match run(paths) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => crate::exit_code(Err(message)),
    }
}

/// Whether all tests passed.
fn run(paths: &[&str]) -> Result<bool, String> {
    let root = root()?;
    let found = found_on_the_path();
    let paths = if paths.is_empty() { found } else { paths.iter().map(PathBuf::from).collect() };
    if paths.is_empty() {
        return Err(format!(
            "none of {} is installed: give paths of servers",
            ON_THE_PATH.join(", ")
        ));
    }
    // All are looked at before the first run, because a run takes minutes.
    let servers = paths.iter().map(|path| Server::at(path)).collect::<Result<Vec<_>, _>>()?;
    let mut table = vec![row(["server", "version", "passed", "failed", "left out", "result"])];
    table.push("|---|---|---|---|---|---|".to_owned());
    let mut all_passed = true;
    for server in &servers {
        let (counts, passed) = test(&root, server)?;
        all_passed &= passed;
        let [ran, failed, left_out] =
            [counts.passed, counts.failed, counts.left_out].map(|count| count.to_string());
        let result = if passed { "passed" } else { "failed" };
        table.push(row([server.name(), &server.version, &ran, &failed, &left_out, result]));
    }
    println!("\n{}", table.join("\n"));
    for gap in gaps::of_any(&servers) {
        println!("left out {}", gap.reason);
    }
    Ok(all_passed)
}

fn found_on_the_path() -> Vec<PathBuf> {
    let path = |program| {
        let script = format!("command -v {program}");
        let path = command::capture(Command::new("sh").args(["-c", &script])).ok()?;
        Some(PathBuf::from(path.trim()))
    };
    ON_THE_PATH.into_iter().filter_map(path).collect()
}

/// Runs the tests of the driver, prints their results, and writes all output to a file.
fn test(root: &Path, server: &Server) -> Result<(Counts, bool), String> {
    let mut words = vec!["test", "--package", server.package(), "--all-features", "--tests"];
    words.extend(["--no-fail-fast", "--"]);
    words.extend(gaps::of(server).flat_map(|gap| gap.tests).flat_map(|test| ["--skip", test]));
    let mut cargo = cargo(root, &words);
    command::more_test_threads(&mut cargo);
    cargo.env(server.variable(), &server.path).stdin(Stdio::null()).stdout(Stdio::piped());
    println!("$ {}", command::line(&cargo));

    let folder = root.join("target/versions");
    let log = folder.join(format!("{}-{}.log", server.name(), server.version));
    let failure = |error: std::io::Error| format!("{}: {error}", log.display());
    let mut process = cargo.spawn().map_err(|error| format!("cargo did not start: {error}"))?;
    let (mut counts, mut output) = (Counts::default(), String::new());
    for line in process.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
        let line = line.map_err(failure)?;
        counts.add(&line);
        if line.ends_with("FAILED") || line.starts_with("test result: ") {
            println!("{line}");
        }
        output += &line;
        output.push('\n');
    }
    let status = process.wait().map_err(failure)?;
    fs::create_dir_all(&folder).and_then(|()| fs::write(&log, output)).map_err(failure)?;
    println!("all output: {}", log.strip_prefix(root).unwrap_or(&log).display());
    Ok((counts, status.success()))
}

impl Counts {
    /// Adds the numbers of a line such as `test result: ok. 7 passed; 0 failed; …; 2 filtered out; …`.
    fn add(&mut self, line: &str) {
        let Some((_, numbers)) = line.split_once("test result: ") else { return };
        for part in numbers.split([';', '.']) {
            let Some((count, kind)) = part.trim().split_once(' ') else { continue };
            let Ok(count) = count.parse::<usize>() else { continue };
            match kind {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" | "filtered out" => self.left_out += count,
                _ => {}
            }
        }
    }
}

fn row<const N: usize>(cells: [&str; N]) -> String {
    format!("| {} |", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_all_test_programs_are_added() {
        let mut counts = Counts::default();
        for line in [
            "running 9 tests",
            "test result: ok. 7 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.01s",
            "test result: FAILED. 3 passed; 4 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.5s",
        ] {
            counts.add(line);
        }
        assert_eq!(counts, Counts { passed: 10, failed: 4, left_out: 3 });
    }
}
