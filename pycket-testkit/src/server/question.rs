use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::{Door, Kind, State};

/// How long a server that has taken the connection may think.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the server that should listen there what it says of itself.
pub(super) fn ask(kind: &Kind, port: u16, directory: &Path, pid: u32) -> io::Result<State> {
    match kind.door {
        Door::Port => {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            hear(kind, stream, pid)
        }
        Door::Socket(name) => {
            let stream = UnixStream::connect(directory.join(name))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            hear(kind, stream, pid)
        }
    }
}

fn hear(kind: &Kind, mut stream: impl Read + Write, pid: u32) -> io::Result<State> {
    stream.write_all(kind.question.as_bytes())?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(State::Busy),
            length => answer.extend_from_slice(&buffer[..length]),
        }
        if let Some(state) = (kind.judge)(&String::from_utf8_lossy(&answer), pid) {
            return Ok(state);
        }
    }
}
