use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use pycket_testkit::servers::Server;

/// Sends one command and returns its reply: the text of a string, a number or an error.
pub(crate) fn command(server: &Server, parts: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let mut request = format!("*{}\r\n", parts.len()).into_bytes();
    for part in parts {
        request.extend(format!("${}\r\n", part.len()).into_bytes());
        request.extend(*part);
        request.extend(b"\r\n");
    }
    stream.write_all(&request).unwrap();
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let line = line.trim_end();
    let Some(length) = line.strip_prefix('$') else {
        return line[1..].to_owned();
    };
    let mut text = vec![0; length.parse().unwrap_or(0)];
    stream.read_exact(&mut text).unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

/// Cuts the connections of all clients.
pub(crate) fn cut_connections(server: &Server) {
    let killed: usize = command(server, &[b"CLIENT", b"KILL", b"TYPE", b"normal"]).parse().unwrap();
    assert!(killed > 0, "no client was connected");
}
