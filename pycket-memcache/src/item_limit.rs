//! How large an item may be.
//!
//! It has to be known beforehand: when memcached refuses an item for its size, it removes the one that it
//! has under that key.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// No memcached can be told to take less.
pub(crate) const SMALLEST: usize = 1024;

/// What memcached takes unless told otherwise, for servers and proxies that do not answer the question.
const DEFAULT: usize = 1024 * 1024;

/// More than any server says of its settings.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// What memcached adds to the key and the value: 59 bytes, more in other versions.
const OVERHEAD: usize = 100;

/// The size that counts.
pub(crate) fn size_of(key: &str, bytes: &[u8]) -> usize {
    key.len() + bytes.len() + OVERHEAD
}

/// Asks the server. The client cannot, so this takes a connection of its own.
pub(crate) async fn ask(address: &str) -> io::Result<usize> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"stats settings\r\n").await?;
    let mut lines = BufReader::new(stream.take(LONGEST_ANSWER)).lines();
    while let Some(line) = lines.next_line().await? {
        let mut words = line.split_ascii_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some("STAT"), Some("item_size_max"), Some(number)) => {
                return Ok(number.parse().unwrap_or(DEFAULT));
            }
            (Some("STAT"), ..) => {}
            _ => return Ok(DEFAULT),
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}
