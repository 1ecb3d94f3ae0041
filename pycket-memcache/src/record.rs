//! The encoding of a record as an item of memcached. Described in `docs/wire-format.md`.

use std::convert::Infallible;

use pycket_core::{Error, ErrorKind, Metadata, Record, Timestamp, Ttl, Value};
use rmp::encode::{ByteBuf, ValueWriteError};
use rmp::{Marker, decode, encode};

use crate::error::corrupt;
use crate::expiry::ItemExpiry;

/// The only version of the format that this driver writes and reads.
const VERSION: u64 = 1;

/// Version, creation time, granted ttl, values.
const PARTS: u32 = 4;

/// An expiry always has this marker and eight bytes, so that each touch adds the same few bytes to every item.
const EXPIRY_MARKER: u8 = 0xcf;

/// What a request to memcached carries.
pub(crate) struct Payload {
    pub(crate) bytes: Vec<u8>,
    pub(crate) exptime: u32,
}

/// A decoded item.
pub(crate) struct Decoded {
    pub(crate) record: Record,
    /// In milliseconds since 1970. Each touch appends an expiry, and the last one counts.
    pub(crate) expires_at: u64,
    pub(crate) expiries: usize,
}

pub(crate) fn encode(record: &Record, expiry: ItemExpiry) -> Result<Payload, Error> {
    let mut bytes = encode_record(record).map_err(|source| {
        Error::new(ErrorKind::Encode, "the session cannot be encoded").with_source(source)
    })?;
    let Payload { bytes: suffix, exptime } = encode_expiry(expiry);
    bytes.extend(suffix);
    Ok(Payload { bytes, exptime })
}

pub(crate) fn encode_expiry(expiry: ItemExpiry) -> Payload {
    let mut bytes = vec![EXPIRY_MARKER];
    bytes.extend(expiry.expires_at.to_be_bytes());
    Payload { bytes, exptime: expiry.exptime }
}

pub(crate) fn decode(mut bytes: &[u8]) -> Result<Decoded, Error> {
    let record = decode_record(&mut bytes)?;
    let (mut last, mut expiries) = (None, 0);
    while !bytes.is_empty() {
        last = Some(number(&mut bytes).ok_or_else(|| corrupt("its expiry is damaged"))?);
        expiries += 1;
    }
    let expires_at = last.ok_or_else(|| corrupt("its expiry is missing"))?;
    Ok(Decoded { record, expires_at, expiries })
}

/// Whether the item was written as a session, of any version, and may be damaged.
pub(crate) fn looks_like_a_session(mut bytes: &[u8]) -> bool {
    decode::read_array_len(&mut bytes).is_ok() && number(&mut bytes).is_some()
}

fn encode_record(record: &Record) -> Result<Vec<u8>, ValueWriteError<Infallible>> {
    let size: usize =
        record.iter().map(|(name, value)| name.len() + value.as_bytes().len() + 8).sum();
    let mut bytes = ByteBuf::with_capacity(size + 64);
    let Metadata { created, granted, .. } = *record.metadata();
    encode::write_array_len(&mut bytes, PARTS)?;
    encode::write_uint(&mut bytes, VERSION)?;
    encode::write_uint(&mut bytes, created.unix_millis())?;
    match granted {
        Some(timeout) => drop(encode::write_uint(&mut bytes, timeout.as_millis())?),
        None => bytes.as_mut_vec().push(Marker::Null.to_u8()),
    }
    encode::write_map_len(&mut bytes, length(record.len()))?;
    for (name, value) in record.iter() {
        encode::write_str(&mut bytes, name)?;
        encode::write_bin(&mut bytes, value.as_bytes())?;
    }
    Ok(bytes.into_vec())
}

fn length(length: usize) -> u32 {
    length.try_into().unwrap_or(u32::MAX)
}

fn decode_record(bytes: &mut &[u8]) -> Result<Record, Error> {
    let parts = decode::read_array_len(bytes).map_err(|_| corrupt("it is not a session"))?;
    if number(bytes) != Some(VERSION) || parts != PARTS {
        return Err(corrupt("it is not a session, or one of an unknown version"));
    }
    let metadata = decode_metadata(bytes).ok_or_else(|| corrupt("its metadata are damaged"))?;
    let values = decode_values(bytes).ok_or_else(|| corrupt("a value is damaged or missing"))?;
    Ok(Record::new(metadata, values))
}

fn decode_metadata(bytes: &mut &[u8]) -> Option<Metadata> {
    let created = Timestamp::from_unix_millis(number(bytes)?);
    let granted = match bytes.strip_prefix(&[Marker::Null.to_u8()]) {
        Some(rest) => {
            *bytes = rest;
            None
        }
        None => Some(Ttl::from_millis(number(bytes)?)?),
    };
    Some(Metadata::new(created).with_granted(granted))
}

fn decode_values(bytes: &mut &[u8]) -> Option<Vec<(String, Value)>> {
    let length = decode::read_map_len(bytes).ok()?;
    // No capacity is reserved, because the length may be wrong.
    let mut values = Vec::new();
    for _ in 0..length {
        let name_length = decode::read_str_len(bytes).ok()?;
        let name = str::from_utf8(take(bytes, name_length)?).ok()?;
        let value_length = decode::read_bin_len(bytes).ok()?;
        let value = take(bytes, value_length)?;
        values.push((name.to_owned(), Value::from(value.to_vec())));
    }
    Some(values)
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    decode::read_int(bytes).ok()
}

fn take<'b>(bytes: &mut &'b [u8], length: u32) -> Option<&'b [u8]> {
    let (taken, rest) = bytes.split_at_checked(length.try_into().ok()?)?;
    *bytes = rest;
    Some(taken)
}
