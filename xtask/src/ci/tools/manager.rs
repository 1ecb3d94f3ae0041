use std::process::Command;

use crate::command;

/// A system's package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manager {
    Apt,
    Dnf,
    Apk,
    Pacman,
    Brew,
}

/// What this process may do to the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rights {
    Root,
    /// By a `sudo` that asks for no password.
    Sudo,
    Ordinary,
}

impl Manager {
    /// Brew comes last: on Linux it stands beside the system's own.
    pub(super) const ALL: [Self; 5] = [Self::Apt, Self::Dnf, Self::Apk, Self::Pacman, Self::Brew];

    /// The first whose program is there.
    pub(super) fn find(is_there: impl Fn(&str) -> bool) -> Option<Self> {
        Self::ALL.into_iter().find(|manager| is_there(manager.program()))
    }

    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Apt => "apt-get",
            Self::Dnf => "dnf",
            Self::Apk => "apk",
            Self::Pacman => "pacman",
            Self::Brew => "brew",
        }
    }

    /// The command lines that install `package`, in order; `None` if the rights do not suffice.
    pub(super) fn lines(self, package: &str, rights: Rights) -> Option<Vec<Vec<&str>>> {
        let prefix: &[&str] = match rights {
            _ if self == Self::Brew => &[],
            Rights::Root => &[],
            Rights::Sudo => &["sudo", "-n"],
            Rights::Ordinary => return None,
        };
        let lines = self.bare_lines(package);
        Some(lines.into_iter().map(|line| [prefix, &line].concat()).collect())
    }

    /// The command to type.
    pub(super) fn by_hand(self, package: &str) -> String {
        match self {
            Self::Apt => format!("sudo apt-get install {package}"),
            Self::Dnf => format!("sudo dnf install {package}"),
            Self::Apk => format!("sudo apk add {package}"),
            Self::Pacman => format!("sudo pacman -S {package}"),
            Self::Brew => format!("brew install {package}"),
        }
    }

    fn bare_lines(self, package: &str) -> Vec<Vec<&str>> {
        match self {
            Self::Apt => vec![
                vec!["apt-get", "update"],
                // In run level 1 the package's service is not started: nothing of ours uses it.
                vec![
                    "env",
                    "RUNLEVEL=1",
                    "DEBIAN_FRONTEND=noninteractive",
                    "apt-get",
                    "install",
                    "--yes",
                    "--no-install-recommends",
                    package,
                ],
            ],
            Self::Dnf => vec![vec!["dnf", "install", "--assumeyes", package]],
            Self::Apk => vec![vec!["apk", "add", "--no-cache", package]],
            Self::Pacman => {
                vec![vec!["pacman", "--sync", "--refresh", "--needed", "--noconfirm", package]]
            }
            Self::Brew => vec![vec!["brew", "install", package]],
        }
    }
}

impl Rights {
    pub(super) fn detect() -> Self {
        let answer = |program: &str, word: &str, more: &[&str]| {
            command::capture(Command::new(program).arg(word).args(more))
        };
        if answer("id", "-u", &[]).is_ok_and(|id| id.trim() == "0") {
            Self::Root
        } else if answer("sudo", "-n", &["true"]).is_ok() {
            Self::Sudo
        } else {
            Self::Ordinary
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(manager: Manager, rights: Rights) -> Vec<String> {
        manager.lines("redis", rights).unwrap().iter().map(|line| line.join(" ")).collect()
    }

    #[test]
    fn apt_refreshes_its_lists_asks_nothing_and_starts_no_service() {
        assert_eq!(
            typed(Manager::Apt, Rights::Root),
            [
                "apt-get update",
                "env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install --yes \
                 --no-install-recommends redis",
            ]
        );
    }

    #[test]
    fn without_root_every_line_goes_through_a_sudo_that_never_asks() {
        for manager in Manager::ALL.into_iter().filter(|manager| *manager != Manager::Brew) {
            for line in typed(manager, Rights::Sudo) {
                assert!(line.starts_with("sudo -n "), "{line}");
            }
            assert_eq!(manager.lines("redis", Rights::Ordinary), None);
        }
    }

    #[test]
    fn brew_is_never_run_by_sudo() {
        for rights in [Rights::Sudo, Rights::Ordinary] {
            assert_eq!(typed(Manager::Brew, rights), ["brew install redis"]);
        }
    }

    #[test]
    fn the_systems_own_manager_goes_before_brew() {
        assert_eq!(Manager::find(|it| ["brew", "dnf"].contains(&it)), Some(Manager::Dnf));
        assert_eq!(Manager::find(|it| it == "brew"), Some(Manager::Brew));
        assert_eq!(Manager::find(|_| false), None);
    }
}
