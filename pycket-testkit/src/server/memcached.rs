use std::ffi::OsString;

use super::{Kind, Server, State};

static MEMCACHED: Kind = Kind {
    scheme: "memcached",
    program: "memcached",
    install: "Debian and Ubuntu: apt-get install memcached; macOS: brew install memcached",
    arguments: |port, _| {
        // Only root is asked for a user.
        let port = port.to_string();
        ["-l", "127.0.0.1", "-p", &port, "-U", "0", "-u", "root"].map(OsString::from).into()
    },
    question: "stats\r\n",
    judge,
};

impl Server {
    /// A memcached server with its default settings: 64 MB of memory, items of up to 1 MB, 1024
    /// connections. It keeps nothing on disk: a [`restart`](Self::restart) empties it.
    ///
    /// # Panics
    ///
    /// If `memcached` is not installed (the message says how to install it) or does not start.
    pub fn memcached() -> Self {
        Self::launch(&MEMCACHED)
    }
}

fn judge(answer: &str, pid: u32) -> Option<State> {
    let (answer, _) = answer.split_once("END\r\n")?;
    let is_ours = answer.contains(&format!("STAT pid {pid}\r\n"));
    Some(if is_ours { State::Ready } else { State::Foreign })
}
