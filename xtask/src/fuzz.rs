//! `cargo xtask fuzz`: runs the fuzz targets one after the other.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use crate::command::{self, cargo, run};

const DEFAULT_SECONDS: u64 = 600;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
struct Options<'a> {
    /// For all targets together.
    seconds: u64,
    target: Option<&'a str>,
}

pub(crate) fn main(words: &[&str]) -> ExitCode {
    let options = match options(words) {
        Ok(options) => options,
        Err(message) => return crate::usage_error(&message),
    };
    crate::exit_code(crate::root().and_then(|root| fuzz(&root, &options)))
}

fn options<'a>(words: &[&'a str]) -> Result<Options<'a>, String> {
    match words {
        [] => Ok(Options { seconds: DEFAULT_SECONDS, target: None }),
        ["--seconds", seconds, rest @ ..] => {
            let seconds = seconds.parse().ok().filter(|seconds| *seconds > 0);
            let seconds = seconds.ok_or("`--seconds` needs a number of at least 1")?;
            Ok(Options { seconds, ..options(rest)? })
        }
        ["--target", target, rest @ ..] => Ok(Options { target: Some(target), ..options(rest)? }),
        _ => Err("the options of `fuzz` are `--seconds <number>` and `--target <name>`".into()),
    }
}

/// Runs every target, also after one with a finding.
fn fuzz(root: &Path, options: &Options<'_>) -> Result<(), String> {
    command::capture(&mut cargo(root, &["fuzz", "--version"])).map_err(|error| {
        format!("cargo-fuzz is missing: run `cargo install --locked cargo-fuzz`\n{error}")
    })?;
    let targets = targets(root, options.target)?;
    let seconds = (options.seconds / targets.len() as u64).max(1);
    let failures: Vec<String> =
        targets.iter().filter_map(|target| run_target(root, target, seconds).err()).collect();
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

/// All targets in the order of their names, or only this one.
fn targets(root: &Path, only: Option<&str>) -> Result<Vec<String>, String> {
    let failed = |error| format!("the targets in fuzz/fuzz_targets cannot be listed: {error}");
    let mut targets = Vec::new();
    for entry in fs::read_dir(root.join("fuzz/fuzz_targets")).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        targets.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    targets.sort();
    let Some(only) = only else { return Ok(targets) };
    if !targets.iter().any(|target| target == only) {
        return Err(format!("unknown target `{only}`; the targets are {}", targets.join(", ")));
    }
    Ok(vec![only.to_owned()])
}

/// What it finds on the way stays in `target/fuzz`, so that the next run goes on from there and git does not see it.
fn run_target(root: &Path, target: &str, seconds: u64) -> Result<(), String> {
    let found = format!("target/fuzz/{target}");
    fs::create_dir_all(root.join(&found)).map_err(|error| format!("{found}: {error}"))?;
    let mut command = cargo(root, &["fuzz", "run", "--fuzz-dir", "fuzz", "--target-dir", "target"]);
    // Without a sanitizer it builds with stable Rust. It finds mistakes in unsafe code, and there is none.
    command.args(["--sanitizer", "none"]);
    command.args([target, &found, &format!("fuzz/corpus/{target}"), "--"]);
    command.arg(format!("-max_total_time={seconds}"));
    command.args(["-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1"]);
    run(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_in_any_order() {
        let both = Options { seconds: 7, target: Some("record") };
        assert_eq!(options(&["--seconds", "7", "--target", "record"]).unwrap(), both);
        assert_eq!(options(&["--target", "record", "--seconds", "7"]).unwrap(), both);
        assert_eq!(options(&[]).unwrap(), Options { seconds: 600, target: None });
    }

    #[test]
    fn an_option_without_a_value_or_of_another_name_is_an_error() {
        for words in [&["--seconds"][..], &["--seconds", "0"], &["--target"], &["record"]] {
            assert!(options(words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn the_error_for_an_unknown_target_lists_the_known_ones() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        assert_eq!(targets(root, Some("record")).unwrap(), ["record"]);
        let error = targets(root, Some("records")).unwrap_err();
        assert!(error.contains("unknown target `records`"), "{error}");
        assert!(error.contains("redis_url"), "{error}");
    }
}
