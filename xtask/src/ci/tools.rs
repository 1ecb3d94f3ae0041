use std::path::Path;
use std::process::Command;

use super::Outcome;
use crate::command;

/// The programs that the steps start.
const PROGRAMS: [&str; 3] = ["git", "memcached", "redis-server"];

/// Per package manager: its program and the shell command that installs all of [`PROGRAMS`]. The first
/// manager that is installed is used. `$sudo` is empty for root.
///
/// `apt-get` starts no service in run level 1; the tests start their own servers.
const MANAGERS: [(&str, &str); 5] = [
    (
        "apt-get",
        "$sudo apt-get update; $sudo env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
         apt-get install --yes --no-install-recommends git memcached redis-server",
    ),
    ("dnf", "$sudo dnf install --assumeyes git memcached redis"),
    ("apk", "$sudo apk add git memcached redis"),
    ("pacman", "$sudo pacman --sync --refresh --needed --noconfirm git memcached redis"),
    ("brew", "brew install git memcached redis"),
];

const SUDO: &str = "[ \"$(id -u)\" = 0 ] || sudo='sudo -n'; ";

/// Installs missing programs. If that fails, the error contains the command to run by hand.
pub(super) fn check(_: &Path) -> Outcome {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = match MANAGERS.iter().find(|(manager, _)| is_installed(manager)) {
        Some((_, install)) => {
            println!("missing: {}", missing.join(", "));
            let failure =
                command::run(Command::new("sh").args(["-c", &format!("{SUDO}{install}")]));
            let hint = format!("run `{}`", install.replace("$sudo", "sudo"));
            failure.err().map_or(hint.clone(), |error| format!("{hint}\n{error}"))
        }
        None => "no known package manager is installed: install them by hand".to_owned(),
    };
    let missing = self::missing();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("missing on the PATH: {}; {by_hand}", missing.join(", ")))
}

/// Whether `program` can be started by its name.
pub(super) fn is_installed(program: &str) -> bool {
    let script = format!("command -v {program}");
    command::capture(Command::new("sh").args(["-c", &script])).is_ok()
}

fn missing() -> Vec<&'static str> {
    PROGRAMS.into_iter().filter(|program| !is_installed(program)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_on_the_path_is_installed() {
        assert!(is_installed("git"));
        assert!(!is_installed("no-such-program"));
    }

    #[test]
    fn every_manager_installs_all_programs_and_all_but_brew_as_root() {
        for (manager, install) in MANAGERS {
            let as_root = install.starts_with(&format!("$sudo {manager} "));
            assert_eq!(as_root, manager != "brew", "{install}");
            for program in PROGRAMS {
                let package = program.trim_end_matches("-server");
                assert!(install.contains(&format!(" {package}")), "{install}");
            }
        }
    }
}
