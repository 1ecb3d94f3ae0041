//! A session record as a Redis hash. `docs/wire-format.md` describes the format.

use pycket_core::driver::corrupt;
use pycket_core::{Error, Metadata, Record, Timestamp, Ttl, Value};

/// The field that holds the metadata. The name of a value is never empty.
pub(crate) const METADATA: &str = "";

/// The only version of the format that this driver writes and reads.
const VERSION: u64 = 1;

/// Version, creation time, and the granted ttl; times in milliseconds.
type Layout = (u64, u64, Option<u64>);

pub(crate) fn encode_metadata(metadata: &Metadata) -> Result<Value, Error> {
    let granted = metadata.granted.map(Ttl::as_millis);
    Value::encode::<Layout>(&(VERSION, metadata.created.unix_millis(), granted))
}

/// Reads the answer to `HGETALL`; `None` if it is empty.
pub(crate) fn decode_record(answer: redis::Value) -> Result<Option<Record>, Error> {
    let mut fields = fields(answer)?.into_iter();
    let mut metadata = None;
    let mut values = Vec::with_capacity(fields.len() / 2);
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        let (name, value) = (bytes(name)?, bytes(value)?);
        if name == METADATA.as_bytes() {
            metadata = Some(decode_metadata(value)?);
        } else {
            let name = String::from_utf8(name).map_err(|_| corrupt("a name is not UTF-8"))?;
            values.push((name, Value::from(value)));
        }
    }
    match metadata {
        Some(metadata) => Ok(Some(Record::new(metadata, values))),
        None if values.is_empty() => Ok(None),
        None => Err(corrupt("the metadata is missing")),
    }
}

fn decode_metadata(bytes: Vec<u8>) -> Result<Metadata, Error> {
    let (version, created, granted) = Value::from(bytes)
        .decode::<Layout>()
        .map_err(|_| corrupt("the metadata is damaged or of an unknown version"))?;
    if version != VERSION {
        return Err(corrupt("the metadata is of an unknown version"));
    }
    let granted = granted
        .map(|millis| {
            Ttl::from_millis(millis).ok_or_else(|| corrupt("the granted ttl is out of range"))
        })
        .transpose()?;
    Ok(Metadata::new(Timestamp::from_unix_millis(created)).with_granted(granted))
}

/// Names and values in turn. RESP 2 sends them as one array, RESP 3 as pairs.
fn fields(answer: redis::Value) -> Result<Vec<redis::Value>, Error> {
    match answer {
        redis::Value::Array(items) => Ok(items),
        redis::Value::Map(pairs) => {
            Ok(pairs.into_iter().flat_map(|(name, value)| [name, value]).collect())
        }
        _ => Err(corrupt("the store did not answer with a hash")),
    }
}

fn bytes(value: redis::Value) -> Result<Vec<u8>, Error> {
    match value {
        redis::Value::BulkString(bytes) => Ok(bytes),
        _ => Err(corrupt("a field is not a string")),
    }
}
