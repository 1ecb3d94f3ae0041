use std::ffi::OsString;
use std::path::Path;

use super::{Door, Kind, Server, State};

pub(super) static VOLATILE: Kind = Kind {
    scheme: "redis",
    program: "redis-server",
    install: "Debian and Ubuntu: apt-get install redis-server; macOS: brew install redis",
    arguments: |port, directory| arguments(port, directory, &["--appendonly", "no"]),
    door: Door::Port,
    question: "INFO server\r\nPING\r\n",
    judge,
};

static PERSISTENT: Kind = Kind {
    arguments: |port, directory| {
        arguments(port, directory, &["--appendonly", "yes", "--appendfsync", "always"])
    },
    ..VOLATILE
};

impl Server {
    /// A Redis server that keeps nothing on disk: a [`restart`](Self::restart) empties it.
    ///
    /// # Panics
    ///
    /// If `redis-server` is not installed (the message says how to install it) or does not start.
    pub fn redis() -> Self {
        Self::launch(&VOLATILE)
    }

    /// A Redis server that writes every change to its append-only file before it answers: a
    /// [`restart`](Self::restart) finds all data again.
    ///
    /// # Panics
    ///
    /// Like [`redis`](Self::redis).
    pub fn redis_persistent() -> Self {
        Self::launch(&PERSISTENT)
    }
}

pub(super) fn arguments(port: u16, directory: &Path, more: &[&str]) -> Vec<OsString> {
    let port = port.to_string();
    let mut arguments: Vec<OsString> =
        ["--bind", "127.0.0.1", "--port", &port, "--save", "", "--daemonize", "no", "--dir"]
            .map(OsString::from)
            .into();
    arguments.push(directory.into());
    arguments.extend(more.iter().map(OsString::from));
    arguments
}

fn judge(answer: &str, pid: u32) -> Option<State> {
    let (_, process_id) = answer.split_once("process_id:")?;
    let (process_id, rest) = process_id.split_once("\r\n")?;
    if process_id != pid.to_string() {
        Some(State::Foreign)
    } else if rest.contains("+PONG\r\n") {
        Some(State::Ready)
    } else if rest.contains("-LOADING") {
        Some(State::Busy)
    } else {
        None
    }
}
