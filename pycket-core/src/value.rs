use std::any::type_name;
use std::fmt;
use std::sync::Arc;

use rmp_serde::decode;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::{Error, ErrorKind};

/// Deeper input is refused, so that a hostile store cannot exhaust the stack.
const MAX_DEPTH: usize = 128;

/// One stored value: MessagePack bytes, decoded only when somebody asks.
///
/// Structs are written as maps with their field names, so that a field can be added later and a program
/// in another language can read them. Cloning copies a pointer.
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
pub struct Value(Arc<[u8]>);

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
        read::<IgnoredAny>(&bytes).map_err(|source| refused(source.into()))?;
        Ok(Self(bytes.into()))
    }

    /// Reads the value back.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] if it is not a `T`, is cut short, has bytes behind its end, or nests deeper
    /// than 128 levels. The error names the type and shows nothing of the content.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        // The decoder's own error is no source: it repeats what it found.
        read(&self.0).map_err(|_| {
            let message = format!("the stored value is not of type `{}`", type_name::<T>());
            Error::new(ErrorKind::Decode, message)
        })
    }

    /// The MessagePack bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A value, the whole of these bytes.
fn read<T: DeserializeOwned>(mut bytes: &[u8]) -> Result<T, decode::Error> {
    let mut deserializer = rmp_serde::Deserializer::new(&mut bytes);
    deserializer.set_max_depth(MAX_DEPTH);
    let value = T::deserialize(&mut deserializer)?;
    if bytes.is_empty() {
        Ok(value)
    } else {
        Err(decode::Error::Uncategorized("there are bytes behind the end".to_owned()))
    }
}

/// For drivers: the bytes as they came from the store, not looked at until they are decoded.
impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({} bytes)", self.0.len())
    }
}
