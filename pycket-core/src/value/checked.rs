//! A serializer that refuses what serde cannot read back.

use serde::ser::{self, Error as _, Serialize, Serializer};

/// Passes everything to `inner`, except what [`Value::encode`](crate::Value::encode) refuses.
pub(super) struct Checked<S> {
    inner: S,
    place: Place,
}

/// Where a value is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Ordinary,
    /// In a `Some`. MessagePack has one nil, so `Some(None)` would be read as `None`.
    Some,
    /// A map of unknown length, as serde writes a flattened struct. It cannot read all keys of such a map again.
    FlatMap,
    FlatKey,
}

impl<S> Checked<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner, place: Place::Ordinary }
    }

    /// For all values but text.
    fn check<E: ser::Error>(&self) -> Result<(), E> {
        match self.place {
            Place::FlatKey => Err(E::custom("the keys of a flattened map must be text")),
            _ => Ok(()),
        }
    }

    /// For what is stored as nil.
    fn check_nil<E: ser::Error>(&self) -> Result<(), E> {
        match self.place {
            Place::Some => Err(E::custom("`Some` of `None` or `()` cannot be told from `None`")),
            _ => self.check(),
        }
    }
}

/// A value whose parts are checked, too.
struct Part<'v, T: ?Sized> {
    value: &'v T,
    place: Place,
}

impl<T: Serialize + ?Sized> Serialize for Part<'_, T> {
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Checked { inner, place: self.place })
    }
}

fn part<T: ?Sized>(value: &T) -> Part<'_, T> {
    Part { value, place: Place::Ordinary }
}

macro_rules! forward {
    ($($method:ident($($argument:ident: $type:ty),*) $(if $check:ident)?;)*) => {$(
        fn $method(self, $($argument: $type),*) -> Result<S::Ok, S::Error> {
            $(self.$check()?;)?
            self.inner.$method($($argument),*)
        }
    )*};
}

macro_rules! forward_compound {
    ($($method:ident($($argument:ident: $type:ty),*) -> $result:ident;)*) => {$(
        fn $method(self, $($argument: $type),*) -> Result<Self::$result, S::Error> {
            self.check()?;
            self.inner.$method($($argument),*).map(Checked::new)
        }
    )*};
}

impl<S: Serializer> Serializer for Checked<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Checked<S::SerializeSeq>;
    type SerializeTuple = Checked<S::SerializeTuple>;
    type SerializeTupleStruct = Checked<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Checked<S::SerializeTupleVariant>;
    type SerializeMap = Checked<S::SerializeMap>;
    type SerializeStruct = Checked<S::SerializeStruct>;
    type SerializeStructVariant = Checked<S::SerializeStructVariant>;

    fn serialize_i128(self, _: i128) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("MessagePack has no 128-bit integers; store it as a string"))
    }

    fn serialize_u128(self, _: u128) -> Result<S::Ok, S::Error> {
        self.serialize_i128(0)
    }

    /// As nil, because serde cannot read the empty array of the inner serializer inside of an untagged enum.
    fn serialize_unit_struct(self, _: &'static str) -> Result<S::Ok, S::Error> {
        self.serialize_unit()
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.check()?;
        let place = if len.is_none() { Place::FlatMap } else { Place::Ordinary };
        Ok(Checked { inner: self.inner.serialize_map(len)?, place })
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.check()?;
        self.inner.serialize_some(&Part { value, place: Place::Some })
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_struct(name, &Part { value, place: self.place })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.check()?;
        self.inner.serialize_newtype_variant(name, index, variant, &part(value))
    }

    forward! {
        serialize_none() if check_nil;
        serialize_unit() if check_nil;
        serialize_bool(value: bool) if check;
        serialize_i8(value: i8) if check;
        serialize_i16(value: i16) if check;
        serialize_i32(value: i32) if check;
        serialize_i64(value: i64) if check;
        serialize_u8(value: u8) if check;
        serialize_u16(value: u16) if check;
        serialize_u32(value: u32) if check;
        serialize_u64(value: u64) if check;
        serialize_f32(value: f32) if check;
        serialize_f64(value: f64) if check;
        serialize_bytes(value: &[u8]) if check;
        serialize_char(value: char);
        serialize_str(value: &str);
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str);
    }

    forward_compound! {
        serialize_seq(len: Option<usize>) -> SerializeSeq;
        serialize_tuple(len: usize) -> SerializeTuple;
        serialize_tuple_struct(name: &'static str, len: usize) -> SerializeTupleStruct;
        serialize_tuple_variant(
            name: &'static str, index: u32, variant: &'static str, len: usize
        ) -> SerializeTupleVariant;
        serialize_struct(name: &'static str, len: usize) -> SerializeStruct;
        serialize_struct_variant(
            name: &'static str, index: u32, variant: &'static str, len: usize
        ) -> SerializeStructVariant;
    }
}

macro_rules! compound {
    ($($trait:ident: $method:ident($($name:ident)?);)*) => {$(
        impl<S: ser::$trait> ser::$trait for Checked<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($name: &'static str,)?
                value: &T,
            ) -> Result<(), S::Error> {
                self.inner.$method($($name,)? &part(value))
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )*};
}

compound! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeStruct: serialize_field(name);
    SerializeStructVariant: serialize_field(name);
}

impl<S: ser::SerializeMap> ser::SerializeMap for Checked<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        let place = match self.place {
            Place::FlatMap => Place::FlatKey,
            _ => Place::Ordinary,
        };
        self.inner.serialize_key(&Part { value: key, place })
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        self.inner.serialize_value(&part(value))
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}
