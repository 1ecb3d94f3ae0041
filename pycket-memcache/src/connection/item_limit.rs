//! The maximum size of an item.
//!
//! It must be known before a write: when memcached refuses an item because of its size, it removes the old item.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// No memcached has a smaller limit.
pub(super) const SMALLEST: usize = 1024;

/// The limit of memcached by default. Used for servers and proxies that do not report theirs.
const DEFAULT: usize = 1024 * 1024;

/// Longer than the settings of any server.
const MAX_ANSWER: u64 = 64 * 1024;

/// What memcached adds to the key and the value: 59 bytes, more in other versions.
const OVERHEAD: usize = 100;

/// The size that memcached compares with its limit.
pub(super) fn size_of(key: &str, bytes: &[u8]) -> usize {
    key.len() + bytes.len() + OVERHEAD
}

/// Asks the server for its limit. The client has no such request, so this opens a connection.
pub(super) async fn request(addr: &str) -> io::Result<usize> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.write_all(b"stats settings\r\n").await?;
    let mut lines = BufReader::new(stream.take(MAX_ANSWER)).lines();
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
