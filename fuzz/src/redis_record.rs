//! The reply of Redis to `HGETALL` and `PTTL`.
//!
//! A record that is read is written and read as the same, as an array (RESP 2) and as a map (RESP 3).

use pycket_core::ErrorKind;
use pycket_redis::fuzzing::{Reply, expires_in, fields, record, reply};
use redis::Value;

use crate::parts::bounded;

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let Reply::Complete(value) = reply(bytes) else { return };
    match expires_in(&value) {
        Ok(millis) => assert!(matches!(value, Value::Int(_)) && millis != Some(u128::MAX)),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt),
    }
    match bounded(4096 + 256 * bytes.len(), || record(value)) {
        Ok(Some(read)) => {
            let fields = fields(&read).unwrap();
            let items = fields.iter().flat_map(|(name, value)| [name.clone(), value.clone()]);
            assert!(record(Value::Array(items.collect())).unwrap().unwrap() == read);
            assert!(record(Value::Map(fields)).unwrap().unwrap() == read);
        }
        Ok(None) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt),
    }
}
