use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::Server;

/// How long servers may take to find each other.
const LIMIT: Duration = Duration::from_secs(60);

impl Server {
    /// Says one command to a Redis server; its answer, an array's items on a line each.
    pub(super) fn say(&self, words: &[&str]) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.address())?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut command = format!("*{}\r\n", words.len());
        words.iter().for_each(|word| command += &format!("${}\r\n{word}\r\n", word.len()));
        stream.write_all(command.as_bytes())?;
        answer(&mut BufReader::new(stream))
    }

    /// Says a command that must be obeyed.
    pub(super) fn order(&self, words: &[&str]) -> String {
        self.say(words).unwrap_or_else(|error| panic!("redis-server refused {words:?}: {error}"))
    }
}

/// Waits until it holds; `what` is said if it never does.
pub(super) fn await_that(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} not within {LIMIT:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn answer(stream: &mut impl BufRead) -> io::Result<String> {
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
            let items = (0..length()).map(|_| answer(stream)).collect::<io::Result<Vec<_>>>()?;
            Ok(items.join("\n"))
        }
        _ => Ok(rest.to_owned()),
    }
}
