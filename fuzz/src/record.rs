//! A whole record as one value, as drivers store it.
//!
//! What is read is written and read as the same, takes little memory, and is refused if a byte is missing.

use pycket_core::{ErrorKind, Record};

use crate::parts::bounded;

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let decoded = bounded(memory(bytes), || Record::decode(bytes));
    let prefix = bounded(memory(bytes), || Record::decode_prefix(bytes));
    match decoded {
        Ok(record) => {
            let (same, rest) = prefix.unwrap();
            assert!(same == record && rest.is_empty());
            check_written(&record);
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            if let Ok((record, rest)) = prefix {
                assert!(!rest.is_empty());
                check_written(&record);
            }
        }
    }
}

/// Each entry takes its bytes, its place, and as much again while it is moved.
pub(crate) fn memory(bytes: &[u8]) -> usize {
    4096 + 128 * bytes.len()
}

fn check_written(record: &Record) {
    let names: Vec<&str> = record.names().collect();
    assert!(names.windows(2).all(|pair| pair.first() < pair.last()), "the names are in order");
    for name in names {
        assert!(record.get(name).is_some());
    }
    let mut bytes = record.encode();
    assert!(Record::decode(&bytes).unwrap() == *record);
    for end in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        assert!(Record::decode(bytes.get(..end).unwrap()).is_err());
    }
    bytes.extend(b"more");
    let (same, rest) = Record::decode_prefix(&bytes).unwrap();
    assert!(same == *record && rest == b"more");
}
