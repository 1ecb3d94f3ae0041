use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::command::is_running;
use super::server::Kind;

/// After this the probe is repeated on a new connection.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Whether the server on the port is the process `pid`. An error means that it is not ready yet.
///
/// It is another process if that one took the port after it was found free.
pub(super) fn is_ours(kind: &Kind, port: u16, directory: &Path, pid: u32) -> io::Result<bool> {
    let answer = match kind.probe_socket {
        None => {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            stream.set_read_timeout(Some(TIMEOUT))?;
            ask(kind, stream)?
        }
        Some(socket) => {
            let stream = UnixStream::connect(directory.join(socket))?;
            stream.set_read_timeout(Some(TIMEOUT))?;
            ask(kind, stream)?
        }
    };
    if kind.probe.is_empty() {
        return Ok(is_running(pid));
    }
    Ok(answer.contains(&format!("{}{pid}\r\n", kind.pid_label)))
}

fn ask(kind: &Kind, mut stream: impl Read + Write) -> io::Result<String> {
    stream.write_all(kind.probe.as_bytes())?;
    let (mut answer, mut buffer) = (String::new(), [0; 4096]);
    while !answer.contains(kind.ready) {
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => answer += &String::from_utf8_lossy(&buffer[..length]),
        }
    }
    Ok(answer)
}
