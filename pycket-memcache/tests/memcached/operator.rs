use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use pycket_testkit::Server;

/// A plain client of its own, for what an operator or another program would do.
pub(crate) struct Operator(BufReader<TcpStream>);

impl Operator {
    pub(crate) fn new(server: &Server) -> Self {
        Self(BufReader::new(TcpStream::connect(server.address()).unwrap()))
    }

    /// Sends these bytes; the first line of the answer.
    pub(crate) fn say(&mut self, bytes: &[u8]) -> String {
        self.0.get_mut().write_all(bytes).unwrap();
        self.line()
    }

    pub(crate) fn get(&mut self, key: &str) -> Option<Vec<u8>> {
        let header = self.say(format!("get {key}\r\n").as_bytes());
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
        assert_eq!(self.say(&request), "STORED");
    }

    /// The server's own count of seconds; -1 for none, `None` for no item.
    pub(crate) fn seconds_left(&mut self, key: &str) -> Option<i64> {
        let answer = self.say(format!("mg {key} t u\r\n").as_bytes());
        Some(answer.strip_prefix("HD t")?.parse().unwrap())
    }

    /// A number that the server counts.
    pub(crate) fn count(&mut self, name: &str) -> u64 {
        let mut line = self.say(b"stats\r\n");
        let mut number = None;
        while line != "END" {
            if let Some(value) = line.strip_prefix(&format!("STAT {name} ")) {
                number = value.parse().ok();
            }
            line = self.line();
        }
        number.unwrap()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}
