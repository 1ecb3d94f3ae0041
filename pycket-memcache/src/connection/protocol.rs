//! The only user of `memcache::exp`, which may change with every minor version.

use std::io;

use memcache::exp::{
    Error, MetaCommand, MetaCommandResult, MetaOp, MetaResponse, ReturnCode, parse_meta_result,
};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

use crate::error::Failure;
use crate::record::Payload;

/// Longer than every line of memcached.
const MAX_LINE: u64 = 2048;

/// How many bytes of a value are reserved before they arrive.
const RESERVED: usize = 8 << 10;

/// An encoded request.
pub(crate) struct Request {
    pub(crate) bytes: Vec<u8>,
    /// How many replies it gets. The last one counts.
    replies: usize,
    token: Token,
}

/// The end of the key. The server repeats it, so that no reply is taken for that to another request.
type Token = [u8; 12];

pub(crate) enum Reply {
    Meta(MetaCommandResult),
    /// `None` if the server does not report its limit.
    ItemLimit(Option<usize>),
}

/// An item that the server returned.
pub(crate) struct Fetched {
    pub(crate) bytes: Vec<u8>,
    /// The number changes with every write, except when only the exptime changes.
    pub(crate) cas: u64,
    /// `None` if the server does not expire the item.
    pub(crate) seconds_left: Option<u64>,
}

/// A conditional write. The number is the CAS number that the item must have.
pub(crate) enum Write {
    /// Stores an item if there is none.
    Add(Payload),
    Replace(Payload, u64),
    /// Sets the exptime, whatever the CAS number. Then appends the bytes if it is as expected.
    Extend(Payload, u64),
    Delete(u64),
}

/// The result of a conditional write.
#[derive(Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Written {
    Done,
    /// There is another item.
    Changed,
    /// There is no item, or it cannot be extended.
    Missing,
}

impl Request {
    pub(crate) fn get(key: &str) -> Self {
        Self::new(key, &[command(MetaOp::Get, key).flag("v").flag("c").flag("t")])
    }

    pub(crate) fn write(key: &str, write: &Write) -> Self {
        let set = |item: &Payload| command(MetaOp::Set, key).value(&*item.bytes);
        let exptime = |item: &Payload| format!("T{}", item.exptime);
        let compare = |cas: &u64| format!("C{cas}");
        match write {
            Write::Add(item) => Self::new(key, &[set(item).flag(exptime(item)).flag("ME")]),
            Write::Replace(item, cas) => {
                Self::new(key, &[set(item).flag(exptime(item)).flag(compare(cas))])
            }
            Write::Delete(cas) => {
                Self::new(key, &[command(MetaOp::Delete, key).flag(compare(cas))])
            }
            Write::Extend(suffix, cas) => {
                let touch = command(MetaOp::Get, key).flag(exptime(suffix));
                Self::new(key, &[touch, set(suffix).flag("MA").flag(compare(cas))])
            }
        }
    }

    pub(crate) fn item_limit() -> Self {
        Self { bytes: b"stats settings\r\n".to_vec(), replies: 1, token: Token::default() }
    }

    fn new(key: &str, commands: &[MetaCommand]) -> Self {
        let mut bytes = Vec::with_capacity(256);
        for command in commands {
            // Fails only for a key that is too long, and the settings do not allow one.
            let _: Result<(), Error> = command.encode_into(&mut bytes);
        }
        Self { bytes, replies: commands.len(), token: token(key) }
    }

    /// Reads the reply. A value takes memory only as it arrives, and only up to the limit.
    ///
    /// # Errors
    ///
    /// The next reply can be read only if [`is_usable_after`] says so.
    pub(crate) async fn read_reply(
        &self,
        stream: &mut (impl AsyncBufRead + Unpin),
        max_value: usize,
    ) -> Result<Reply, Failure> {
        let mut reply = read_reply(stream, max_value, &self.token).await;
        for _ in 1..self.replies {
            if is_usable_after(&reply) {
                reply = read_reply(stream, max_value, &self.token).await;
            }
        }
        reply
    }
}

impl Reply {
    pub(crate) fn fetched(self) -> Result<Option<Fetched>, Failure> {
        match self {
            Self::Meta(result) if result.rc == ReturnCode::En => Ok(None),
            Self::Meta(MetaCommandResult { value: Some(bytes), cas, ttl, .. }) => {
                let cas = cas.filter(|cas| *cas > 0).ok_or(Failure::NoCas)?;
                let seconds_left = ttl.and_then(|seconds| seconds.try_into().ok());
                Ok(Some(Fetched { bytes, cas, seconds_left }))
            }
            _ => Err(unexpected()),
        }
    }

    pub(crate) fn written(self, write: &Write) -> Result<Written, Failure> {
        let Self::Meta(result) = self else { return Err(unexpected()) };
        match (result.rc, write) {
            (ReturnCode::Hd, _) => Ok(Written::Done),
            (ReturnCode::Ex, _) | (ReturnCode::Ns, Write::Add(_)) => Ok(Written::Changed),
            (ReturnCode::Ns | ReturnCode::Nf, _) => Ok(Written::Missing),
            _ => Err(unexpected()),
        }
    }

    pub(crate) fn item_limit(self) -> Result<Option<usize>, Failure> {
        if let Self::ItemLimit(limit) = self { Ok(limit) } else { Err(unexpected()) }
    }
}

/// Whether it is known where the next reply begins.
pub(crate) fn is_usable_after(reply: &Result<Reply, Failure>) -> bool {
    matches!(reply, Ok(_) | Err(Failure::ServerError(_)))
}

fn token(key: &str) -> Token {
    key.as_bytes().last_chunk().copied().unwrap_or_default()
}

fn command(op: MetaOp, key: &str) -> MetaCommand {
    MetaCommand::new(op, key).flag([&b"O"[..], &token(key)].concat())
}

async fn read_reply(
    stream: &mut (impl AsyncBufRead + Unpin),
    max_value: usize,
    token: &Token,
) -> Result<Reply, Failure> {
    let (mut line, mut item_limit) = (read_line(stream).await?, None);
    while let Some(setting) = line.strip_prefix(b"STAT ") {
        item_limit = setting.strip_prefix(b"item_size_max ").and_then(number).or(item_limit);
        line = read_line(stream).await?;
    }
    if line == b"END" {
        return Ok(Reply::ItemLimit(item_limit));
    }
    let mut value = None;
    if let Some(header) = line.strip_prefix(b"VA ") {
        let length = header.split(|byte| *byte == b' ').next().and_then(number);
        value = Some(read_value(stream, length.ok_or_else(unexpected)?, max_value).await?);
    }
    // The error of the client is dropped where it may show the key.
    let mut result = match MetaResponse::parse_header(&line).and_then(parse_meta_result) {
        Err(Error::Server(text)) => return Err(Failure::ServerError(text)),
        Err(Error::Rejected(text)) => return Err(Failure::Rejected(text)),
        result => result.map_err(|_| unexpected())?,
    };
    if result.opaque.as_ref().is_some_and(|opaque| opaque != token) {
        return Err(unexpected());
    }
    result.value = value;
    Ok(Reply::Meta(result))
}

async fn read_line(stream: &mut (impl AsyncBufRead + Unpin)) -> Result<Vec<u8>, Failure> {
    let mut line = Vec::with_capacity(64);
    stream.take(MAX_LINE).read_until(b'\n', &mut line).await.map_err(Failure::Unanswered)?;
    match line.last() {
        Some(b'\n') => line.truncate(line.trim_ascii_end().len()),
        _ if line.len() as u64 == MAX_LINE => return Err(unexpected()),
        _ => return Err(Failure::Unanswered(io::ErrorKind::UnexpectedEof.into())),
    }
    Ok(line)
}

async fn read_value(
    stream: &mut (impl AsyncBufRead + Unpin),
    length: usize,
    max_length: usize,
) -> Result<Vec<u8>, Failure> {
    if length > max_length {
        return Err(Failure::TooLarge);
    }
    let mut value = Vec::with_capacity(RESERVED.min(length));
    stream.take(length as u64).read_to_end(&mut value).await.map_err(Failure::Unanswered)?;
    // After the value, the line is empty.
    if read_line(stream).await?.is_empty() { Ok(value) } else { Err(unexpected()) }
}

fn number(text: &[u8]) -> Option<usize> {
    str::from_utf8(text).ok()?.parse().ok()
}

/// What the server sent is no reply to the request.
pub(crate) fn unexpected() -> Failure {
    let text = "this is no answer of memcached";
    Failure::Unanswered(io::Error::new(io::ErrorKind::InvalidData, text))
}
