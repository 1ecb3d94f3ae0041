//! A whole record as one value, for a store that keeps it in one column or item. Described in
//! `docs/wire-format.md`.

use std::convert::Infallible;

use rmp::encode::{ByteBuf, ValueWriteError};
use rmp::{Marker, decode, encode};

use super::{Metadata, Record};
use crate::driver::corrupt;
use crate::{Error, Timestamp, Ttl, Value};

/// The only version of the format that is written and read.
const VERSION: u64 = 1;

/// Version, creation time, granted ttl, values.
const PARTS: u32 = 4;

impl Record {
    /// The whole record as MessagePack, for a store that keeps it as one value. [`decode`](Self::decode) reads it.
    ///
    /// It is an array of four: the version of the format, 1; the time of creation in milliseconds since 1970; the
    /// ttl that the last renewal gave, in milliseconds or nil; and a map of names (str) to values (bin). Later
    /// versions of this crate read it, too.
    ///
    /// ```
    /// use pycket_core::{Metadata, Record, Timestamp, Value};
    ///
    /// let metadata = Metadata::new(Timestamp::from_unix_millis(7));
    /// let record = Record::new(metadata, [("user", Value::encode("ann")?)]);
    /// assert_eq!(record.encode(), b"\x94\x01\x07\xc0\x81\xa4user\xc4\x04\xa3ann");
    /// assert_eq!(Record::decode(&record.encode())?, record);
    /// # Ok::<(), pycket_core::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If the record has 2³² values, or a value of 4 GiB: MessagePack cannot hold them.
    pub fn encode(&self) -> Vec<u8> {
        let size: usize =
            self.iter().map(|(name, value)| name.len() + value.as_bytes().len() + 8).sum();
        let mut bytes = ByteBuf::with_capacity(size + 64);
        #[expect(clippy::expect_used, reason = "writing to memory does not fail")]
        self.encode_to(&mut bytes).expect("memory can be written");
        bytes.into_vec()
    }

    fn encode_to(&self, bytes: &mut ByteBuf) -> Result<(), ValueWriteError<Infallible>> {
        encode::write_array_len(bytes, PARTS)?;
        encode::write_uint(bytes, VERSION)?;
        encode::write_uint(bytes, self.metadata.created.unix_millis())?;
        match self.metadata.granted {
            Some(ttl) => drop(encode::write_uint(bytes, ttl.as_millis())?),
            None => bytes.as_mut_vec().push(Marker::Null.to_u8()),
        }
        encode::write_map_len(bytes, length(self.len()))?;
        for (name, value) in self.iter() {
            encode::write_str_len(bytes, length(name.len()))?;
            bytes.as_mut_vec().extend(name.as_bytes());
            encode::write_bin_len(bytes, length(value.as_bytes().len()))?;
            bytes.as_mut_vec().extend(value.as_bytes());
        }
        Ok(())
    }

    /// Reads what [`encode`](Self::encode) has written.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) for anything else. The error does not contain the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        match Self::decode_prefix(bytes)? {
            (record, []) => Ok(record),
            _ => Err(corrupt("it has too many bytes")),
        }
    }

    /// Reads a record at the start of `bytes`, and returns the bytes that follow it: a driver may store more behind
    /// the record, such as its expiry.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if it does not begin with a record. The error does not
    /// contain the bytes.
    pub fn decode_prefix(mut bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let parts = decode::read_array_len(&mut bytes).map_err(|_| corrupt("it is no session"))?;
        if number(&mut bytes) != Some(VERSION) || parts != PARTS {
            return Err(corrupt("it is no session, or one of an unknown version"));
        }
        let metadata = metadata(&mut bytes).ok_or_else(|| corrupt("its metadata are damaged"))?;
        let values = values(&mut bytes).ok_or_else(|| corrupt("a value is damaged or missing"))?;
        Ok((Self::new(metadata, values), bytes))
    }
}

#[expect(clippy::expect_used, reason = "documented")]
fn length(length: usize) -> u32 {
    length.try_into().expect("a record that MessagePack can hold")
}

fn metadata(bytes: &mut &[u8]) -> Option<Metadata> {
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

fn values(bytes: &mut &[u8]) -> Option<Vec<(String, Value)>> {
    let length = decode::read_map_len(bytes).ok()?;
    // No capacity is reserved, because the length may be wrong.
    let mut values = Vec::new();
    for _ in 0..length {
        let name_length = decode::read_str_len(bytes).ok()?;
        let name = str::from_utf8(take(bytes, name_length)?).ok()?;
        let value_length = decode::read_bin_len(bytes).ok()?;
        values.push((name.to_owned(), Value::from(take(bytes, value_length)?)));
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
