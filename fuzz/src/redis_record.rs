//! The reply of Redis to `HGETALL` and `PTTL`.
//!
//! A record that is read is written and read as the same, as an array (RESP 2) and as a map (RESP 3). The input is the
//! reply, and once more the fields of a hash, so that it need not be a well-formed reply to reach them.

use std::collections::BTreeMap;

use pycket_core::{ErrorKind, Record};
use pycket_redis::fuzzing::{Reply, expires_in, fields, record, reply};
use redis::Value;

use crate::parts::bounded;

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let limit = 4096 + 256 * bytes.len();
    if let Reply::Complete(value) = reply(bytes) {
        match expires_in(&value) {
            Ok(millis) => assert!(matches!(value, Value::Int(_)) && millis != Some(u128::MAX)),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt),
        }
        check_record(value, limit);
    }
    let items = items(bytes);
    let reply = items.iter().map(|item| Value::BulkString(item.to_vec()));
    if let Some(read) = check_record(Value::Array(reply.collect()), limit) {
        // Of two fields of one name the last counts. The metadata have an empty name.
        let fields: BTreeMap<_, _> =
            items.as_chunks().0.iter().map(|[name, value]| (*name, *value)).collect();
        let values = read.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        assert!(values.eq(fields.into_iter().filter(|(name, _)| !name.is_empty())));
    }
}

fn check_record(value: Value, limit: usize) -> Option<Record> {
    match bounded(limit, || record(value)) {
        Ok(Some(read)) => {
            let fields = fields(&read).unwrap();
            let items = fields.iter().flat_map(|(name, value)| [name.clone(), value.clone()]);
            assert!(record(Value::Array(items.collect())).unwrap().unwrap() == read);
            assert!(record(Value::Map(fields)).unwrap().unwrap() == read);
            Some(read)
        }
        Ok(None) => None,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            None
        }
    }
}

/// Strings, each after a byte with its length.
fn items(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut items = Vec::new();
    while let Some((length, rest)) = bytes.split_first() {
        let (item, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        items.push(item);
        bytes = rest;
    }
    items
}
