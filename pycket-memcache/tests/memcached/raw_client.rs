use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use pycket_testkit::servers::Server;

/// A client without the driver, for what an operator or another program would do.
pub(crate) struct RawClient(BufReader<TcpStream>);

impl RawClient {
    pub(crate) fn new(server: &Server) -> Self {
        Self(BufReader::new(TcpStream::connect(server.address()).unwrap()))
    }

    /// Sends the bytes and returns the first line of the answer.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> String {
        self.0.get_mut().write_all(bytes).unwrap();
        self.line()
    }

    pub(crate) fn get(&mut self, key: &str) -> Option<Vec<u8>> {
        let header = self.send(format!("get {key}\r\n").as_bytes());
        if header == "END" {
            return None;
        }
        let length: usize = header.rsplit(' ').next().unwrap().parse().unwrap();
        let mut bytes = vec![0; length + 2];
        self.0.read_exact(&mut bytes).unwrap();
        assert_eq!(self.line(), "END");
        bytes.truncate(length);
        Some(bytes)
    }

    pub(crate) fn set(&mut self, key: &str, exptime: i64, bytes: &[u8]) {
        let header = format!("set {key} 0 {exptime} {}\r\n", bytes.len());
        let request = [header.as_bytes(), bytes, b"\r\n"].concat();
        assert_eq!(self.send(&request), "STORED");
    }

    /// The remaining seconds that the server reports: -1 without expiry, `None` without an item.
    pub(crate) fn seconds_left(&mut self, key: &str) -> Option<i64> {
        let answer = self.send(format!("mg {key} t u\r\n").as_bytes());
        Some(answer.strip_prefix("HD t")?.parse().unwrap())
    }

    /// A number of the server's `stats`.
    pub(crate) fn stat(&mut self, name: &str) -> u64 {
        let mut line = self.send(b"stats\r\n");
        let mut number = None;
        while line != "END" {
            if let Some(value) = line.strip_prefix(&format!("STAT {name} ")) {
                number = value.parse().ok();
            }
            line = self.line();
        }
        number.unwrap()
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}
