//! The bytes of one value, read as the types of an application.
//!
//! What is read is written and read as the same, and takes little memory. No error shows the value.

use std::collections::BTreeMap;
use std::fmt::Debug;

use pycket_core::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::parts::{Node, bounded};

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let value = Value::from(bytes);
    assert_eq!(value.as_bytes(), bytes);
    check_as::<bool>(&value);
    check_as::<u64>(&value);
    check_as::<i8>(&value);
    check_as::<char>(&value);
    check_as::<String>(&value);
    check_as::<Option<u32>>(&value);
    check_as::<(String, u64)>(&value);
    check_as::<Vec<Option<i64>>>(&value);
    check_as::<BTreeMap<String, u32>>(&value);
    check_as::<Node>(&value);
}

fn check_as<T: DeserializeOwned + Serialize + PartialEq + Debug>(value: &Value) {
    let length = value.as_bytes().len();
    // serde reserves up to 1 MiB for an announced list. In a longer value, all of it is known to be there.
    let announced = if length <= 128 { (length / 5 + 1) << 20 } else { 0 };
    let memory = 16_384 + 256 * length + announced;
    match bounded(memory, || value.decode::<T>()) {
        Ok(read) => {
            let written = Value::encode(&read).unwrap();
            assert_eq!(written.decode::<T>().unwrap(), read);
        }
        Err(error) => assert!(error.to_string().starts_with("the stored value is not of type")),
    }
}
