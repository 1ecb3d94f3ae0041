use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::Server;

/// How long servers may take to find each other.
const LIMIT: Duration = Duration::from_secs(60);

impl Server {
    /// Sends one command to a Redis server. The items of an array come back as one line each.
    pub(super) fn try_command(&self, words: &[&str]) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.address())?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut command = format!("*{}\r\n", words.len());
        words.iter().for_each(|word| command += &format!("${}\r\n{word}\r\n", word.len()));
        stream.write_all(command.as_bytes())?;
        read_answer(&mut BufReader::new(stream))
    }

    /// Sends a command that must succeed.
    pub(super) fn command(&self, words: &[&str]) -> String {
        self.try_command(words)
            .unwrap_or_else(|error| panic!("redis-server refused {words:?}: {error}"))
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

fn read_answer(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let (sign, rest) = line.trim_end().split_at_checked(1).ok_or(io::ErrorKind::UnexpectedEof)?;
    let length = || rest.parse::<usize>().unwrap_or(0);
    match sign {
        "-" => Err(io::Error::other(rest.to_owned())),
        "$" => {
            let mut text = vec![0; length()];
            stream.read_exact(&mut text)?;
            stream.read_line(&mut String::new())?;
            Ok(String::from_utf8_lossy(&text).into_owned())
        }
        "*" => {
            let items = (0..length()).map(|_| read_answer(stream));
            Ok(items.collect::<io::Result<Vec<_>>>()?.join("\n"))
        }
        _ => Ok(rest.to_owned()),
    }
}
