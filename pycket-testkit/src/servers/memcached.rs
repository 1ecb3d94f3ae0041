use std::ffi::OsString;

use super::server::{Kind, Server};

static MEMCACHED: Kind = Kind {
    scheme: "memcached",
    program: "memcached",
    variable: Some("PYCKET_MEMCACHED_SERVER"),
    install: "Debian and Ubuntu: apt-get install memcached; macOS: brew install memcached",
    arguments: |port, _| arguments(port, &[]),
    template: &[],
    setup: &[],
    probe_socket: None,
    probe: "stats\r\n",
    pid_label: "STAT pid ",
    ready: "END\r\n",
};

static SMALL: Kind =
    Kind { arguments: |port, _| arguments(port, &["-m", "2", "-I", "512k", "-M"]), ..MEMCACHED };

impl Server {
    /// A memcached server with its default settings: 64 MB of memory, items of up to 1 MB, 1024
    /// connections. It keeps nothing on disk: a [`restart`](Self::restart) empties it.
    pub fn memcached() -> Self {
        Self::launch(&MEMCACHED)
    }

    /// A memcached server that is full soon: it has 2 MB of memory for items of up to 512 kB. When it is
    /// full it refuses new items; it evicts none.
    pub fn memcached_small() -> Self {
        Self::launch(&SMALL)
    }
}

fn arguments(port: u16, limits: &[&str]) -> Vec<OsString> {
    let port = port.to_string();
    // memcached refuses to run as root unless the user is named; other users ignore `-u`.
    let fixed = ["-l", "127.0.0.1", "-p", &port, "-U", "0", "-u", "root"];
    fixed.iter().chain(limits).map(OsString::from).collect()
}
