use std::any::type_name;
use std::sync::Arc;
use std::{fmt, io};

use rmp_serde::decode;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind};

/// Deeper input is refused, so that a hostile store cannot exhaust the stack.
const MAX_DEPTH: usize = 128;

/// One stored value: MessagePack bytes, decoded only when somebody asks.
///
/// Structs are written as maps with their field names, so that a field can be added later and a program
/// in another language can read them. Cloning copies a pointer, or a few bytes.
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
#[derive(Clone)]
pub struct Value(Bytes);

/// Most values are numbers, flags and short words: these need no place of their own in memory.
#[derive(Clone)]
enum Bytes {
    Short { len: u8, bytes: [u8; SHORT] },
    Long(Arc<[u8]>),
}

/// As many as fit beside the tag where the pointer to longer ones would be.
const SHORT: usize = 22;

impl Value {
    /// Serializes anything that serde can. What this accepts, [`decode`](Self::decode) can read.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Encode`], with serde's own error as the source, also if the value nests deeper than
    /// 128 levels.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        let refused = |source: Source| {
            let message = format!("a value of type `{}` cannot be serialized", type_name::<T>());
            Error::new(ErrorKind::Encode, message).with_source(source)
        };
        let bytes = rmp_serde::to_vec_named(value).map_err(|source| refused(source.into()))?;
        if bytes.first().is_some_and(|marker| may_nest(*marker)) {
            read::<IgnoredAny>(&bytes).map_err(|source| refused(source.into()))?;
        }
        Ok(Self::from(bytes.as_slice()))
    }

    /// Reads the value back.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] if it is not a `T`, is cut short, has bytes behind its end, or nests deeper
    /// than 128 levels. The error names the type and shows nothing of the content.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        // The decoder's own error is no source: it repeats what it found.
        read(self.as_bytes()).map_err(|_| {
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

/// Whether a value that begins so can hold others: maps, arrays and extensions.
fn may_nest(marker: u8) -> bool {
    matches!(marker, 0x80..=0x9f | 0xc7..=0xc9 | 0xd4..=0xd8 | 0xdc..=0xdf)
}

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A value, the whole of these bytes.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, decode::Error> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
    deserializer.set_max_depth(MAX_DEPTH);
    let value = T::deserialize(&mut deserializer)?;
    // It does not say where it is. Only at the end of the bytes can it not even begin another value.
    match bool::deserialize(&mut deserializer) {
        Err(decode::Error::InvalidMarkerRead(end)) if is_end(&end) => Ok(value),
        _ => Err(decode::Error::Uncategorized("there are bytes behind the end".to_owned())),
    }
}

fn is_end(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}

/// For drivers: the bytes as they came from the store, not looked at until they are decoded.
impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(bytes.as_slice())
    }
}

/// As from a vector.
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

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Value {}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({} bytes)", self.as_bytes().len())
    }
}
