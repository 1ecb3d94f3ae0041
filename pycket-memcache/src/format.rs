//! The record as an item of memcached; described in `docs/wire-format.md`.

use std::convert::Infallible;

use pycket_core::{Error, ErrorKind, Metadata, Record, Timestamp, Ttl, Value};
use rmp::encode::{ByteBuf, ValueWriteError};
use rmp::{Marker, decode, encode};

use crate::error::corrupt;

/// The version of the format that this driver writes, and the only one that it reads.
const VERSION: u64 = 1;

/// Version, creation time, own lifetime, values.
const PARTS: u32 = 4;

/// How an end is written, always: so one more of them adds as little to every record.
const END_MARKER: u8 = 0xcf;

/// What an item holds.
pub(crate) struct Stored {
    pub(crate) record: Record,
    /// When it ends, in milliseconds since 1970: the last of its ends.
    pub(crate) end: u64,
    /// How many ends it has; each touch adds one.
    pub(crate) ends: usize,
}

pub(crate) fn encode(record: &Record, end: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = encode_record(record).map_err(|source| {
        Error::new(ErrorKind::Encode, "the session cannot be encoded").with_source(source)
    })?;
    bytes.extend(encode_end(end));
    Ok(bytes)
}

pub(crate) fn encode_end(end: u64) -> Vec<u8> {
    let mut bytes = vec![END_MARKER];
    bytes.extend(end.to_be_bytes());
    bytes
}

pub(crate) fn decode(mut bytes: &[u8]) -> Result<Stored, Error> {
    let record = decode_record(&mut bytes)?;
    let (mut end, mut ends) = (None, 0);
    while !bytes.is_empty() {
        end = Some(number(&mut bytes).ok_or_else(|| corrupt("its end is damaged"))?);
        ends += 1;
    }
    let end = end.ok_or_else(|| corrupt("its end is missing"))?;
    Ok(Stored { record, end, ends })
}

/// Whether this was written as a session, be it of another version or damaged since.
pub(crate) fn is_recognisable(mut bytes: &[u8]) -> bool {
    decode::read_array_len(&mut bytes).is_ok() && number(&mut bytes).is_some()
}

fn encode_record(record: &Record) -> Result<Vec<u8>, ValueWriteError<Infallible>> {
    let size: usize =
        record.iter().map(|(name, value)| name.len() + value.as_bytes().len() + 8).sum();
    let mut bytes = ByteBuf::with_capacity(size + 64);
    let Metadata { created, idle_timeout: lifetime, .. } = *record.metadata();
    encode::write_array_len(&mut bytes, PARTS)?;
    encode::write_uint(&mut bytes, VERSION)?;
    encode::write_uint(&mut bytes, created.unix_millis())?;
    match lifetime {
        Some(lifetime) => drop(encode::write_uint(&mut bytes, lifetime.as_millis())?),
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
    let parts = decode::read_array_len(bytes).map_err(|_| corrupt("it is no session"))?;
    if number(bytes) != Some(VERSION) || parts != PARTS {
        return Err(corrupt("it is no session, or one of an unknown version"));
    }
    let metadata = decode_metadata(bytes).ok_or_else(|| corrupt("its metadata are damaged"))?;
    let values = decode_values(bytes).ok_or_else(|| corrupt("a value is damaged or missing"))?;
    Ok(Record::new(metadata, values))
}

fn decode_metadata(bytes: &mut &[u8]) -> Option<Metadata> {
    let created = Timestamp::from_unix_millis(number(bytes)?);
    let lifetime = match bytes.strip_prefix(&[Marker::Null.to_u8()]) {
        Some(rest) => {
            *bytes = rest;
            None
        }
        None => Some(Ttl::from_millis(number(bytes)?)?),
    };
    Some(Metadata::new(created).with_idle_timeout(lifetime))
}

fn decode_values(bytes: &mut &[u8]) -> Option<Vec<(String, Value)>> {
    let length = decode::read_map_len(bytes).ok()?;
    // Not reserved: the number may be a lie.
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
