//! What reads bytes of servers and operators, for the fuzz targets in `fuzz/` of the repository.
//!
//! It is no part of the interface and may change at any time. A feature and not `cfg(fuzzing)` opens it, so that an
//! ordinary build can run the targets, too.

use pycket_core::{Error, Record, Timestamp, Ttl};
use tokio::io::AsyncBufRead;

use crate::connection::protocol::{Reply, Request, is_usable_after};
use crate::error::Failure;
use crate::expiry::{ItemExpiry, remaining_millis};
use crate::node_addr::NodeAddr;
use crate::record;

/// A decoded item: its record, when it expires in milliseconds since 1970, and the number of its expiries.
pub type Item = (Record, u64, usize);

pub fn decode(item: &[u8]) -> Result<Item, Error> {
    let decoded = record::decode(item)?;
    Ok((decoded.record, decoded.expires_at, decoded.expiries))
}

/// Whether damaged bytes count as a session.
pub fn looks_like_a_session(item: &[u8]) -> bool {
    record::looks_like_a_session(item)
}

/// The item with this record.
pub fn encode(record: &Record, expires_at: u64) -> Vec<u8> {
    record::encode(record, expiry(expires_at)).bytes
}

/// What a touch appends to an item.
pub fn encode_expiry(expires_at: u64) -> Vec<u8> {
    record::encode_expiry(expiry(expires_at)).bytes
}

fn expiry(expires_at: u64) -> ItemExpiry {
    ItemExpiry::at(expires_at, Timestamp::from_unix_millis(0))
}

/// The remaining milliseconds of a record, and the number of seconds that a write of it asks of the server.
pub fn remaining(expires_at: u64, now: u64, server_seconds: Option<u64>) -> (u64, u32) {
    let now = Timestamp::from_unix_millis(now);
    let millis = remaining_millis(expires_at, now, server_seconds);
    (millis, ItemExpiry::after(Ttl::from_millis(millis).unwrap_or(Ttl::MIN), now).exptime)
}

/// The spelling of a server's address.
pub fn server(text: &str) -> Result<String, Error> {
    Ok(text.parse::<NodeAddr>()?.as_str().to_owned())
}

/// What a reply to a read of `KEY` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    Missing,
    Found {
        bytes: Vec<u8>,
        cas: u64,
        seconds_left: Option<u64>,
    },
    /// It is no reply to this request; whether the next reply can be read.
    Failed {
        is_usable: bool,
    },
}

/// The key of the requests. The last twelve bytes are the token of the reply.
pub const KEY: &str = "pycket:AZOzpHweTSqfAFobLD1OXw";

/// Reads the reply to a read of [`KEY`].
pub async fn read(stream: &mut (impl AsyncBufRead + Unpin), max_value: usize) -> Read {
    let reply = Request::get(KEY).read_reply(stream, max_value).await;
    let is_usable = is_usable_after(&reply);
    match reply.and_then(Reply::fetched) {
        Ok(None) => Read::Missing,
        Ok(Some(found)) => {
            Read::Found { bytes: found.bytes, cas: found.cas, seconds_left: found.seconds_left }
        }
        Err(_) => Read::Failed { is_usable },
    }
}

/// Reads the reply to the question for the item limit.
pub async fn item_limit(stream: &mut (impl AsyncBufRead + Unpin)) -> Option<Option<usize>> {
    let reply: Result<Reply, Failure> = Request::item_limit().read_reply(stream, 0).await;
    reply.and_then(Reply::item_limit).ok()
}
