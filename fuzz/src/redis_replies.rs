//! What a server sends to the Redis client.
//!
//! The limit on the size of answers sees the same answers as the client, however they are split. So the client never
//! gathers bytes that the limit does not count, and what the limit accepts takes little memory.

use pycket_redis::fuzzing::{Limit, Reply, reply};

use crate::parts::bounded;

const MAX_SIZE: usize = 4096;

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let mut limit = Limit::new(MAX_SIZE);
    let mut answer = Vec::new();
    for byte in bytes {
        answer.push(*byte);
        if !limit.accepts(&[*byte]) {
            assert!(!Limit::new(MAX_SIZE).accepts(bytes), "it depends on how the bytes are split");
            return;
        }
        if limit.is_at_rest() {
            let (_, before) = answer.split_last().unwrap();
            assert!(!matches!(reply(before), Reply::Complete(_)), "the limit ends an answer late");
            // The parser has a buffer of its own.
            match bounded(16 * MAX_SIZE + 65_536, || reply(&answer)) {
                Reply::Complete(_) => answer.clear(),
                Reply::Incomplete => panic!("the limit ends an answer early"),
                // The client closes the connection.
                Reply::Refused => return,
            }
        }
    }
    assert!(!matches!(reply(&answer), Reply::Complete(_)), "the limit misses the end of an answer");
    assert!(Limit::new(MAX_SIZE).accepts(bytes), "it depends on how the bytes are split");
}
