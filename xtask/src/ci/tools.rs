mod manager;
mod search;

use std::path::Path;
use std::process::Command;

use super::Outcome;
use crate::command;
use manager::{Manager, Rights};

/// A program that the steps start, and the package that brings it.
struct Tool {
    program: &'static str,
    on_debian: &'static str,
    elsewhere: &'static str,
}

const TOOLS: [Tool; 3] = [
    Tool { program: "git", on_debian: "git", elsewhere: "git" },
    Tool { program: "memcached", on_debian: "memcached", elsewhere: "memcached" },
    Tool { program: "redis-server", on_debian: "redis-server", elsewhere: "redis" },
];

/// Parts of the Rust toolchain, and the cargo command that each brings.
const COMPONENTS: [(&str, &str); 2] = [("rustfmt", "fmt"), ("clippy", "clippy")];

/// Installs what is missing where it can, and otherwise says how to.
pub(super) fn check(root: &Path) -> Outcome {
    let missing_tools = TOOLS.iter().filter(|tool| !search::is_on_path(tool.program));
    let tools = missing_tools.filter_map(|tool| install(tool).err());
    let missing_components = COMPONENTS.iter().filter(|(_, command)| !has_command(root, command));
    let components = missing_components.filter_map(|(component, _)| add(component).err());
    let failures: Vec<String> = tools.chain(components).collect();
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

fn install(tool: &Tool) -> Outcome {
    let Some(manager) = Manager::find(search::is_on_path) else {
        return Err(format!(
            "{} is missing, and so is every package manager that this knows ({}): install it by hand \
             and put it on the PATH",
            tool.program,
            Manager::ALL.map(Manager::program).join(", ")
        ));
    };
    let package = tool.package(manager);
    let Some(lines) = manager.lines(package, Rights::detect()) else {
        return Err(format!(
            "{} is missing, and installing it needs root: run `{}`",
            tool.program,
            manager.by_hand(package)
        ));
    };
    println!("{} is missing: installing the package `{package}`", tool.program);
    let failures: Vec<String> = lines.iter().filter_map(|line| start(line).err()).collect();
    if search::is_on_path(tool.program) {
        return Ok(());
    }
    Err(format!(
        "{} is missing after an attempt to install it: run `{}` and see that it is on the PATH\n{}",
        tool.program,
        manager.by_hand(package),
        failures.join("\n")
    ))
}

fn add(component: &str) -> Outcome {
    let by_hand = format!("{component} is missing: run `rustup component add {component}`");
    if !search::is_on_path("rustup") {
        return Err(format!("{by_hand}, or install it the way this Rust was installed"));
    }
    command::run(Command::new("rustup").args(["component", "add", component]))
        .map_err(|error| format!("{by_hand}\n{error}"))
}

fn start(line: &[&str]) -> Outcome {
    match line {
        [program, words @ ..] => command::run(Command::new(program).args(words)),
        [] => Ok(()),
    }
}

fn has_command(root: &Path, name: &str) -> bool {
    command::capture(&mut command::cargo(root, &[name, "--version"])).is_ok()
}

impl Tool {
    fn package(&self, manager: Manager) -> &'static str {
        if manager == Manager::Apt { self.on_debian } else { self.elsewhere }
    }
}
