//! An error of a node of a cluster, such as `MOVED` and `ASK`.
//!
//! A redirection that is read is written and read as the same.

use pycket_redis::fuzzing::{Reply, redirection, reply};

use crate::parts::{bounded, from};

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let Reply::Complete(value) = reply(bytes) else { return };
    let found = bounded(4096 + 256 * bytes.len(), || redirection(value, &from()));
    let Some((is_ask, (host, port))) = found else { return };
    let kind = if is_ask { "ASK" } else { "MOVED" };
    let Reply::Complete(written) = reply(format!("-{kind} 1 [{host}]:{port}\r\n").as_bytes())
    else {
        unreachable!("the written redirection is no reply")
    };
    let host = if host.is_empty() { from().0 } else { host };
    assert_eq!(redirection(written, &from()), Some((is_ask, (host, port))));
}
