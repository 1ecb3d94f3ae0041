mod checked;

use std::any::type_name;
use std::fmt;
use std::sync::Arc;

use rmp_serde::decode;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind};
use checked::Checked;

/// Maximum nesting of a value. Deeper input is an error, so that a hostile store cannot exhaust the stack.
const MAX_DEPTH: usize = 128;

/// One stored value as MessagePack bytes, which only [`decode`](Self::decode) looks at.
///
/// Structs are written as maps with their field names. So a later version of a program can add a field, and
/// a program in another language can read them. A clone copies a pointer or at most 22 bytes.
///
/// ```
/// use pycket_core::Value;
///
/// let value = Value::encode(&("ann", 3))?;
/// assert_eq!(value.decode::<(String, u32)>()?, ("ann".to_owned(), 3));
/// assert!(value.decode::<bool>().is_err());
/// assert_eq!(format!("{value:?}"), "Value(6 bytes)");
/// # Ok::<(), pycket_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Value(Bytes);

/// Most values are numbers, flags and short words, which are kept in place, without an allocation.
/// Up to `SHORT` bytes are always `Short`, padded with zeros, so equal values have equal forms.
#[derive(Clone, PartialEq, Eq)]
enum Bytes {
    Short { len: u8, bytes: [u8; SHORT] },
    Long(Arc<[u8]>),
}

/// The largest number of bytes that makes `Bytes` no larger than 24 bytes.
const SHORT: usize = 22;

impl Value {
    /// Serializes a value. What this accepts, [`decode`](Self::decode) reads as an equal value, if the type can
    /// read what it writes.
    ///
    /// Types with a text form (an IP address, a UUID, most types of dates) are stored as text, as in JSON.
    ///
    /// Known limit: serde reads an untagged enum as its first variant that fits. Bytes that are UTF-8 also fit a
    /// `String`, and an integer also fits an `f64`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Encode`] if serde cannot serialize the value, and for what it could not read again: 128-bit
    /// integers, `Some(None)`, `Some(())`, keys other than text in a flattened map, and more than 128 nested
    /// levels. The source is the error of serde.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        let error = || {
            let message = format!("a value of type `{}` cannot be serialized", type_name::<T>());
            Error::new(ErrorKind::Encode, message)
        };
        let mut bytes = Vec::new();
        let mut serializer =
            rmp_serde::Serializer::new(&mut bytes).with_struct_map().with_human_readable();
        value
            .serialize(Checked::new(&mut serializer))
            .map_err(|source| error().with_source(source))?;
        check(&bytes).map_err(|source| error().with_source(source))?;
        Ok(Self::from(bytes.as_slice()))
    }

    /// Deserializes the value.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] if the value is not a `T`, is incomplete, is followed by other bytes, or is nested
    /// deeper than 128 levels. The error names the type and shows nothing of the content.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let bytes = self.as_bytes();
        // The decoder does not count the levels of enums, so the depth is checked first. Each level has a byte.
        let checked = if bytes.len() > MAX_DEPTH { check(bytes) } else { Ok(()) };
        // The error of the decoder can contain parts of the value, so it must not be the source.
        checked.and_then(|()| read(bytes)).map_err(|_| {
            let message = format!("the stored value is not of type `{}`", type_name::<T>());
            Error::new(ErrorKind::Decode, message)
        })
    }

    /// The MessagePack bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Bytes::Long(bytes) => bytes,
        }
    }
}

/// Checks that the bytes are one value of at most 128 levels. Only a value that can contain others is read.
fn check(bytes: &[u8]) -> Result<(), decode::Error> {
    match bytes.first() {
        Some(marker) if may_nest(*marker) => read::<IgnoredAny>(bytes).map(drop),
        _ => Ok(()),
    }
}

/// Whether this first byte starts a map, an array or an extension, which can contain other values.
fn may_nest(marker: u8) -> bool {
    matches!(marker, 0x80..=0x9f | 0xc7..=0xc9 | 0xd4..=0xd8 | 0xdc..=0xdf)
}

/// Deserializes a value from exactly these bytes.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, decode::Error> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes).with_human_readable();
    deserializer.set_max_depth(MAX_DEPTH);
    let value = T::deserialize(&mut deserializer)?;
    // The deserializer does not give its position. At the end it cannot read the first byte of a value.
    match bool::deserialize(&mut deserializer) {
        Err(decode::Error::InvalidMarkerRead(_)) => Ok(value),
        _ => Err(decode::Error::Uncategorized("the value is followed by other bytes".to_owned())),
    }
}

/// For drivers: takes the bytes from the store. They are not checked before they are decoded.
impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(bytes.as_slice())
    }
}

/// For drivers: takes the bytes from the store. They are not checked before they are decoded.
impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        let mut short = [0; SHORT];
        match (u8::try_from(bytes.len()), short.get_mut(..bytes.len())) {
            (Ok(len), Some(place)) => {
                place.copy_from_slice(bytes);
                Self(Bytes::Short { len, bytes: short })
            }
            _ => Self(Bytes::Long(bytes.into())),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({} bytes)", self.as_bytes().len())
    }
}
