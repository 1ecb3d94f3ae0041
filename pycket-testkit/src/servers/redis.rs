use std::ffi::OsString;
use std::path::Path;

use super::server::{Kind, Server};

pub(super) static VOLATILE: Kind = Kind {
    scheme: "redis",
    program: "redis-server",
    variable: Some("PYCKET_REDIS_SERVER"),
    install: "Debian and Ubuntu: apt-get install redis-server; macOS: brew install redis",
    arguments: |port, directory| arguments(port, directory, &["--appendonly", "no"]),
    template: &[],
    setup: &[],
    probe_socket: None,
    probe: "INFO server\r\nPING\r\n",
    pid_label: "process_id:",
    ready: "+PONG\r\n",
};

static PERSISTENT: Kind = Kind {
    arguments: |port, directory| {
        arguments(port, directory, &["--appendonly", "yes", "--appendfsync", "always"])
    },
    ..VOLATILE
};

impl Server {
    /// A Redis server that keeps nothing on disk: a [`restart`](Self::restart) empties it.
    pub fn redis() -> Self {
        Self::launch(&VOLATILE)
    }

    /// A Redis server that writes every change to its append-only file before it answers: a
    /// [`restart`](Self::restart) keeps all data.
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
