mod cargo;
mod docs;
mod layout;
mod markdown;
mod msrv;
mod package;
mod standalone;
mod tools;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};
use std::{env, panic, thread};

/// A check of the workspace in the given folder.
struct Step {
    name: &'static str,
    promise: &'static str,
    check: fn(&Path) -> Outcome,
}

/// The error says what is wrong, where, and what to change.
type Outcome = Result<(), String>;

/// Run while `tests` runs, because that step mostly waits. The step before it builds the tests, because only one cargo
/// at a time can build.
const BESIDE: [&str; 4] = ["docs", "package", "soak", "standalone"];

/// Quick steps come first. Lints come before tests because they build less.
const STEPS: [Step; 12] = [
    Step { name: "tools", promise: "the required programs are installed", check: tools::check },
    Step { name: "layout", promise: "the rules of the repository hold", check: layout::check },
    Step { name: "fmt", promise: "the code is formatted", check: cargo::fmt },
    Step { name: "msrv", promise: "no package needs a newer Rust", check: msrv::check },
    Step { name: "deny", promise: "licences and sources are allowed", check: cargo::deny },
    Step { name: "clippy", promise: "no lint warns, with all features", check: cargo::clippy },
    Step { name: "build", promise: "all tests build", check: cargo::build_tests },
    Step { name: "tests", promise: "unit, integration and doc tests pass", check: cargo::test },
    Step { name: "docs", promise: "links in the documentation lead somewhere", check: docs::check },
    Step {
        name: "package",
        promise: "each package is complete and builds alone, per feature",
        check: package::check,
    },
    Step { name: "soak", promise: "a minute under faults finds nothing", check: cargo::soak },
    Step {
        name: "standalone",
        promise: "the crates outside the workspace and the guide build",
        check: standalone::check,
    },
];

/// `cargo xtask ci`: runs all steps, or the named ones.
pub(crate) fn main(words: &[&str]) -> ExitCode {
    if words == ["--list"] {
        println!("{}", list());
        return ExitCode::SUCCESS;
    }
    let (steps, root) = match choose(words).and_then(|steps| Ok((steps, crate::root()?))) {
        Ok(chosen) => chosen,
        Err(message) => return crate::usage_error(&message),
    };
    let results = run(&steps, &root);
    println!("{}", summary(&results));
    if results.iter().all(|it| it.passed) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct StepResult {
    name: &'static str,
    passed: bool,
    took: Duration,
}

/// Runs every step, also after a failed one: a single run shows all failures.
fn run(steps: &[&Step], root: &Path) -> Vec<StepResult> {
    // Asked for now, because a step may build this program again, at the same path. An empty path does not start.
    let program = env::current_exe().unwrap_or_default();
    let mut results = Vec::new();
    let mut steps = steps.iter().peekable();
    while let Some(step) = steps.next() {
        thread::scope(|scope| {
            let mut beside = Vec::new();
            while let Some(other) = steps.next_if(|next| BESIDE.contains(&next.name)) {
                beside.push(scope.spawn(|| run_beside(&program, other, root)));
            }
            results.push(run_one(step, root));
            for other in beside {
                let (result, output) =
                    other.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
                println!("{output}");
                results.push(result);
            }
        });
    }
    results
}

fn run_one(step: &Step, root: &Path) -> StepResult {
    println!("\n== {}: {}", step.name, step.promise);
    let start = Instant::now();
    let outcome = (step.check)(root);
    if let Err(message) = &outcome {
        println!("{message}\n== {} FAILED", step.name);
    }
    StepResult { name: step.name, passed: outcome.is_ok(), took: start.elapsed() }
}

/// Runs a step in a process of its own and returns its output, so that it does not mix with that of the other step.
fn run_beside(program: &Path, step: &Step, root: &Path) -> (StepResult, String) {
    let start = Instant::now();
    let output = Command::new(program).args(["ci", step.name]).current_dir(root).output();
    let (passed, text) = match output {
        Ok(output) => {
            let text = [output.stdout, output.stderr].concat();
            (output.status.success(), String::from_utf8_lossy(&text).into_owned())
        }
        Err(error) => (false, format!("the step `{}` did not start: {error}", step.name)),
    };
    (StepResult { name: step.name, passed, took: start.elapsed() }, text)
}

/// The named steps in the order of the table, or all steps if no name is given.
fn choose(names: &[&str]) -> Result<Vec<&'static Step>, String> {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        return Err(format!("unknown step `{unknown}`; the steps are\n\n{}", list()));
    }
    Ok(STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name)).collect())
}

fn list() -> String {
    STEPS.map(|step| format!("  {:<12}{}", step.name, step.promise)).join("\n")
}

fn summary(results: &[StepResult]) -> String {
    let mut lines = vec!["\n== summary".to_owned()];
    lines.extend(results.iter().map(|step| {
        let verdict = if step.passed { "ok" } else { "FAILED" };
        format!("{verdict:<8}{:<12}{:>6.1} s", step.name, step.took.as_secs_f64())
    }));
    lines.join("\n")
}

/// Fails with all findings, one per line.
fn outcome(findings: &[String]) -> Outcome {
    if findings.is_empty() { Ok(()) } else { Err(findings.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSES: Step = Step { name: "passes", promise: "", check: |_| Ok(()) };
    const FAILS: Step = Step { name: "fails", promise: "", check: |_| Err("no".to_owned()) };

    #[test]
    fn the_steps_after_a_failed_one_still_run() {
        let results = run(&[&FAILS, &PASSES], Path::new("."));
        assert_eq!(results.iter().map(|it| it.passed).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn without_a_name_every_step_runs() {
        assert_eq!(choose(&[]).unwrap().len(), STEPS.len());
    }

    #[test]
    fn named_steps_run_once_and_in_the_order_of_the_table() {
        let names: Vec<_> =
            choose(&["tests", "fmt", "tests"]).unwrap().iter().map(|step| step.name).collect();
        assert_eq!(names, ["fmt", "tests"]);
    }

    #[test]
    fn the_error_for_an_unknown_step_lists_the_known_ones() {
        let message = choose(&["fmt", "lint"]).err().unwrap();
        assert!(message.contains("unknown step `lint`"), "{message}");
        assert!(message.contains("clippy"), "{message}");
    }

    #[test]
    fn the_summary_has_a_line_per_step_with_verdict_and_seconds() {
        let result =
            |name, passed, millis| StepResult { name, passed, took: Duration::from_millis(millis) };
        assert_eq!(
            summary(&[result("fmt", true, 840), result("tests", false, 125_000)]),
            "\n== summary\nok      fmt            0.8 s\nFAILED  tests        125.0 s"
        );
    }
}
