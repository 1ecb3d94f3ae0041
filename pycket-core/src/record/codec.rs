//! A whole record as one value, for a store that keeps it in one column or item.

use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::{Metadata, Record};
use crate::{Error, ErrorKind, Timestamp, Ttl, Value};

/// The only version of the encoding that is written and read.
const VERSION: u64 = 1;

/// Version, creation time, granted ttl, values.
type Parts<V> = (u64, u64, Option<u64>, V);

impl Record {
    /// The whole record as MessagePack, for a store that keeps it as one value. [`decode`](Self::decode) reads it.
    ///
    /// It is an array of four: the version of the encoding, 1; the time of creation in milliseconds since 1970;
    /// the ttl that the last renewal gave, in milliseconds or nil; and a map of names (str) to values (bin). Later versions of
    /// this crate read it, too.
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
    /// If the record has more than 2³² values or a value of more than 4 GiB, which MessagePack cannot hold.
    pub fn encode(&self) -> Vec<u8> {
        let Metadata { created, granted } = self.metadata;
        let granted = granted.map(Ttl::as_millis);
        let parts: Parts<Map<'_>> = (VERSION, created.unix_millis(), granted, Map(self));
        #[expect(clippy::expect_used, reason = "writing to memory fails only as documented")]
        rmp_serde::to_vec(&parts).expect("a record that MessagePack can hold")
    }

    /// Reads what [`encode`](Self::encode) has written.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] for anything else. The error does not contain the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut rest = bytes;
        let mut deserializer = rmp_serde::Deserializer::new(&mut rest);
        let parts = Parts::<Values>::deserialize(&mut deserializer);
        drop(deserializer);
        let (VERSION, created, granted, Values(values)) = parts.map_err(|_| corrupt())? else {
            return Err(corrupt());
        };
        let granted = match granted {
            None => None,
            Some(millis) => Some(Ttl::from_millis(millis).ok_or_else(corrupt)?),
        };
        if !rest.is_empty() {
            return Err(corrupt());
        }
        let created = Timestamp::from_unix_millis(created);
        Ok(Self::new(Metadata::new(created).with_granted(granted), values))
    }
}

fn corrupt() -> Error {
    let message = "the stored bytes are not a session, or one of an unknown version";
    Error::new(ErrorKind::Corrupt, message)
}

struct Map<'r>(&'r Record);

impl Serialize for Map<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0.iter() {
            map.serialize_entry(name, &Bytes(value.as_bytes()))?;
        }
        map.end()
    }
}

struct Bytes<'b>(&'b [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

struct Values(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of names to values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Values, A::Error> {
        // No capacity is reserved, because the length may be wrong.
        let mut values = Vec::new();
        while let Some((name, Blob(value))) = map.next_entry::<String, _>()? {
            values.push((name, value));
        }
        Ok(Values(values))
    }
}

struct Blob(Value);

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(BlobVisitor)
    }
}

struct BlobVisitor;

impl Visitor<'_> for BlobVisitor {
    type Value = Blob;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of a value")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Blob, E> {
        Ok(Blob(Value::from(bytes)))
    }

    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Blob, E> {
        Ok(Blob(Value::from(bytes)))
    }
}
