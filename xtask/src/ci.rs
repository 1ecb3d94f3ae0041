mod cargo;
mod crates;
mod layout;
mod markdown;
mod msrv;
mod report;
mod standalone;
mod tools;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use report::Ended;

/// Something that must hold of the workspace in the folder that it is given.
struct Step {
    name: &'static str,
    holds: &'static str,
    check: fn(&Path) -> Outcome,
}

/// The error is for whoever has to mend it: what is wrong, where, and what to change.
type Outcome = Result<(), String>;

/// In this order: what is quick and what later steps need comes first, and the lints before the tests
/// because they build the least.
const STEPS: [Step; 9] = [
    Step { name: "tools", holds: "what the steps need is installed", check: tools::check },
    Step { name: "layout", holds: "the house rules hold", check: layout::check },
    Step { name: "fmt", holds: "the code is formatted", check: cargo::fmt },
    Step { name: "msrv", holds: "no dependency needs a newer Rust", check: msrv::check },
    Step { name: "clippy", holds: "no lint complains, all features", check: cargo::clippy },
    Step { name: "crates", holds: "each crate stands alone, per feature", check: crates::check },
    Step { name: "tests", holds: "unit, integration and doc tests pass", check: cargo::test },
    Step {
        name: "standalone",
        holds: "what is outside the workspace works for a stranger",
        check: standalone::check,
    },
    Step { name: "docs", holds: "the documentation builds without warning", check: cargo::doc },
];

/// `cargo xtask ci`: all steps, or those named.
pub(crate) fn main(words: &[&str]) -> ExitCode {
    if words == ["--list"] {
        println!("{}", list());
        return ExitCode::SUCCESS;
    }
    let chosen = match choose(words) {
        Ok(chosen) => chosen,
        Err(message) => return crate::misunderstood(&message),
    };
    let Some(root) = crate::root() else {
        return crate::misunderstood("the workspace is not known: start this by `cargo xtask`");
    };
    let ended = run(&chosen, &root);
    println!("{}", report::summary(&ended));
    if ended.iter().all(Ended::is_well) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every step runs whatever became of those before: one look shows all there is to mend.
fn run(steps: &[&Step], root: &Path) -> Vec<Ended> {
    let mut ended = Vec::new();
    for step in steps {
        println!("\n== {}: {}", step.name, step.holds);
        let start = Instant::now();
        let outcome = (step.check)(root);
        let took = start.elapsed();
        if let Err(message) = &outcome {
            println!("{message}\n== {} FAILED", step.name);
        }
        ended.push(Ended { name: step.name, outcome, took });
    }
    ended
}

/// The steps of these names, in the order of the table; all for no names.
fn choose(names: &[&str]) -> Result<Vec<&'static Step>, String> {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        return Err(format!("unknown step `{unknown}`; the steps are\n\n{}", list()));
    }
    Ok(STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name)).collect())
}

fn list() -> String {
    STEPS.map(|step| format!("  {:<12}{}", step.name, step.holds)).join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Step = Step { name: "well", holds: "", check: |_| Ok(()) };
    const BROKEN: Step = Step { name: "broken", holds: "", check: |_| Err("it broke".to_owned()) };

    #[test]
    fn a_failed_step_does_not_keep_the_next_from_running() {
        let ended = run(&[&BROKEN, &WELL], Path::new("."));
        assert_eq!(ended.iter().map(Ended::is_well).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn no_name_means_every_step() {
        assert_eq!(choose(&[]).unwrap().len(), STEPS.len());
    }

    #[test]
    fn named_steps_run_once_and_in_the_order_of_the_table() {
        let names: Vec<_> =
            choose(&["tests", "fmt", "tests"]).unwrap().iter().map(|step| step.name).collect();
        assert_eq!(names, ["fmt", "tests"]);
    }

    #[test]
    fn an_unknown_step_is_named_beside_those_that_exist() {
        let message = choose(&["fmt", "lint"]).err().unwrap();
        assert!(message.contains("unknown step `lint`"), "{message}");
        assert!(message.contains("clippy"), "{message}");
    }
}
