//! The replies of sentinels and servers about who is the primary.
//!
//! An address that is read is written and read as the same. Only a server that says so is a primary.

use pycket_redis::fuzzing::{Reply, is_primary, primary, reply};
use redis::Value;

use crate::parts::contains;

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let Reply::Complete(value) = reply(bytes) else { return };
    assert!(!is_primary(value.clone()) || contains(bytes, b"master\r\n"));
    let Some((host, port)) = primary(value) else { return };
    let parts = [format!("[{host}]"), port.to_string()].map(|part| Value::BulkString(part.into()));
    assert_eq!(primary(Value::Array(parts.into())), Some((host, port)));
}
