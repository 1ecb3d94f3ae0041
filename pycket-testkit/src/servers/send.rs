use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::Server;

/// How long servers may take to find each other.
const LIMIT: Duration = Duration::from_secs(60);

impl Server {
    /// Sends one command to a Redis server; returns its answer as it is on the wire, or its error.
    pub(super) fn try_send(&self, command: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.address())?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "{command}\r\n")?;
        // A sentinel does not know QUIT.
        stream.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.is_empty() || answer.starts_with('-') {
            return Err(io::Error::other(answer));
        }
        Ok(answer)
    }

    /// Sends a command that must succeed.
    pub(super) fn send(&self, command: &str) -> String {
        self.try_send(command)
            .unwrap_or_else(|error| panic!("redis-server refused `{command}`: {error}"))
    }
}

/// Waits until the condition holds; `condition` names it in the failure.
pub(super) fn wait_until(condition: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < deadline, "still not true after {LIMIT:?}: {condition}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
