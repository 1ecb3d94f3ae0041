//! What `Value::encode` accepts, `Value::decode` reads as an equal value.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU8;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use pycket_core::{ErrorKind, Value};
use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value and where serde may put it: all representations of an enum, and a flattened struct.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum External<T> {
    Newtype(T),
    Tuple(u8, T),
    Struct { value: T },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Internal<T> {
    Struct {
        value: T,
    },
    /// serde refuses most values here.
    Newtype(T),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "content")]
enum Adjacent<T> {
    Newtype(T),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged<T> {
    Other { nothing: u8 },
    Newtype(T),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat<T> {
    name: String,
    #[serde(flatten)]
    inner: Inner<T>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Inner<T> {
    value: T,
    list: Vec<T>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Newtype<T>(T);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct UnitStruct;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct NoFields {}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Key {
    First,
    #[serde(rename = "2")]
    Second,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct FlatMap<K: Ord> {
    name: String,
    #[serde(flatten)]
    others: BTreeMap<K, IpAddr>,
}

/// Bytes as the crate `serde_bytes` has them.
#[derive(Clone, Debug, PartialEq)]
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Bytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

/// A date that is text in a readable format, and a number in others, as many crates have it.
#[derive(Clone, Debug, PartialEq)]
struct Date(i64);

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&format_args!("day {}", self.0))
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return i64::deserialize(deserializer).map(Self);
        }
        let text = String::deserialize(deserializer)?;
        let day = text.strip_prefix("day ").and_then(|day| day.parse().ok());
        day.map(Self).ok_or_else(|| de::Error::custom("not a date"))
    }
}

trait Stored: Serialize + DeserializeOwned + PartialEq + Debug {}
impl<T: Serialize + DeserializeOwned + PartialEq + Debug> Stored for T {}

/// Whether the value is accepted. If so, it is read as an equal value.
fn is_accepted<T: Stored>(value: &T) -> bool {
    match Value::encode(value) {
        Ok(encoded) => {
            let decoded = encoded.decode::<T>();
            assert_eq!(decoded.as_ref().ok(), Some(value), "{:02x?}", encoded.as_bytes());
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Encode);
            false
        }
    }
}

/// A value whose type only [`READ`] knows. Without it, each place would be compiled for each type.
struct Erased(Box<dyn Any>);

trait Any: erased_serde::Serialize + Debug + std::any::Any {
    fn is(&self, other: &dyn std::any::Any) -> bool;
}

impl<T: Stored + 'static> Any for T {
    fn is(&self, other: &dyn std::any::Any) -> bool {
        other.downcast_ref() == Some(self)
    }
}

type Read = fn(&mut dyn erased_serde::Deserializer<'_>) -> Result<Erased, erased_serde::Error>;

thread_local! {
    /// Reads a value of the type that is tested.
    static READ: Cell<Read> = const { Cell::new(|_| unreachable!()) };
}

fn read<T: Stored + 'static>(
    deserializer: &mut dyn erased_serde::Deserializer<'_>,
) -> Result<Erased, erased_serde::Error> {
    erased_serde::deserialize::<T>(deserializer).map(|value| Erased(Box::new(value)))
}

impl Serialize for Erased {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        erased_serde::serialize(&*self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Erased {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut deserializer = <dyn erased_serde::Deserializer<'_>>::erase(deserializer);
        READ.get()(&mut deserializer).map_err(de::Error::custom)
    }
}

impl PartialEq for Erased {
    fn eq(&self, other: &Self) -> bool {
        self.0.is(&*other.0)
    }
}

impl Debug for Erased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.0, f)
    }
}

/// Stores a value by itself and in every place, and returns whether each accepted it.
fn every_place<T: Stored + Clone + 'static>(value: &T) -> Vec<bool> {
    READ.set(read::<T>);
    let mut accepted = places(&|| Erased(Box::new(value.clone())));
    accepted.push(is_accepted(value));
    accepted
}

fn places(value: &dyn Fn() -> Erased) -> Vec<bool> {
    is_accepted(&Internal::Newtype(value()));
    is_accepted(&Untagged::Newtype(Internal::Newtype(External::Newtype(value()))));
    let mut accepted = vec![
        is_accepted(&value()),
        is_accepted(&vec![value(), value()]),
        is_accepted(&(value(), 1_u8)),
        is_accepted(&BTreeMap::from([(7, value())])),
        is_accepted(&Newtype(value())),
        is_accepted(&External::Newtype(value())),
        is_accepted(&External::Tuple(1, value())),
        is_accepted(&External::Struct { value: value() }),
        is_accepted(&Internal::Struct { value: value() }),
        is_accepted(&Adjacent::Newtype(value())),
        is_accepted(&Untagged::Newtype(value())),
        is_accepted(&Flat {
            name: "ann".into(),
            inner: Inner { value: value(), list: vec![value()] },
        }),
        is_accepted(&Ok::<Erased, ()>(value())),
        // One inside of another.
        is_accepted(&Untagged::Newtype(Untagged::Newtype(value()))),
        is_accepted(&Untagged::Newtype(External::Newtype(value()))),
        is_accepted(&Untagged::Newtype(External::Struct { value: value() })),
        is_accepted(&Internal::Struct { value: External::Tuple(1, value()) }),
        is_accepted(&External::Newtype(Internal::Struct { value: value() })),
        is_accepted(&Flat {
            name: "ann".into(),
            inner: Inner { value: Untagged::Newtype(value()), list: Vec::new() },
        }),
    ];
    // `Some` of what is stored as nil is refused.
    if Value::encode(&value()).is_ok_and(|encoded| encoded.as_bytes() == [0xc0]) {
        assert!(!is_accepted(&Some(value())));
        assert!(!is_accepted(&Untagged::Newtype(Some(Newtype(value())))));
    } else {
        accepted.push(is_accepted(&Some(value())));
        accepted.push(is_accepted(&Internal::Struct { value: Some(value()) }));
    }
    accepted
}

fn accepts<T: Stored + Clone + 'static>(value: T) {
    assert!(every_place(&value).into_iter().all(|accepted| accepted), "{value:?}");
}

fn refuses<T: Stored + Clone + 'static>(value: T) {
    assert!(every_place(&value).into_iter().all(|accepted| !accepted), "{value:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn numbers_are_read_as_they_were_stored(
        (flag, int, uint, single, double) in any::<(bool, i64, u64, f32, f64)>(),
        (small, byte) in any::<(i8, NonZeroU8)>(),
        (wide, signed) in any::<(u128, i128)>(),
    ) {
        accepts(flag);
        accepts(int);
        accepts(uint);
        accepts(small);
        accepts(byte);
        accepts(single);
        accepts(double);
        refuses(wide);
        refuses(signed);
        refuses(wide % 10);
    }

    #[test]
    fn texts_and_bytes_are_read_as_they_were_stored(
        (letter, text, bytes) in any::<(char, String, Vec<u8>)>(),
    ) {
        accepts(letter);
        accepts(text);
        accepts(Bytes(bytes.clone()));
        accepts(bytes);
    }

    #[test]
    fn types_with_a_text_form_are_read_as_they_were_stored(
        (ip, port, day) in any::<(IpAddr, u16, i64)>(),
        (duration, since) in any::<(Duration, u32)>(),
    ) {
        accepts(ip);
        accepts(SocketAddr::new(ip, port));
        accepts(Date(day));
        accepts(duration);
        accepts(SystemTime::UNIX_EPOCH + Duration::from_secs(since.into()));
        let others = BTreeMap::from([(port, ip)]);
        refuses(FlatMap { name: "ann".to_owned(), others: others.clone() });
        let others = others.into_iter().map(|(port, ip)| (port.to_string(), ip)).collect();
        accepts(FlatMap { name: "ann".to_owned(), others });
        accepts(FlatMap { name: "ann".to_owned(), others: BTreeMap::from([(Key::Second, ip)]) });
    }

    #[test]
    fn collections_are_read_as_they_were_stored(
        by_number in any::<BTreeMap<i32, Option<f64>>>(),
        by_flag in any::<BTreeMap<bool, char>>(),
        by_letter in any::<BTreeMap<char, ()>>(),
        by_pair in any::<BTreeMap<(u8, Option<char>), String>>(),
        set in any::<BTreeSet<u64>>(),
        array in any::<[Option<i16>; 3]>(),
    ) {
        accepts(by_number);
        accepts(by_flag);
        accepts(by_letter);
        accepts(by_pair);
        accepts(set);
        accepts(array);
    }
}

#[test]
fn structs_and_enums_are_read_as_they_were_stored() {
    accepts(());
    accepts(UnitStruct);
    accepts(NoFields {});
    accepts(PhantomData::<u8>);
    accepts(Key::First);
    accepts(BTreeMap::from([(Key::First, 1), (Key::Second, 2)]));
    accepts(BTreeMap::from([(Some(Key::First), 1), (None, 2)]));
    accepts(Range { start: 1, end: 2 });
    accepts([0_u8; 0]);
    accepts((1, "two".to_owned(), [3.0]));
    accepts(serde_json::json!({"a": [null, 1, -1.5, "b", {"c": u64::MAX}]}));
}

#[test]
fn nested_options_are_accepted_unless_nil_is_inside_of_some() {
    accepts(None::<u8>);
    accepts(None::<Option<u8>>);
    accepts(Some(Some(1)));
    refuses(Some(None::<u8>));
    refuses(Some(()));
    refuses(Some(UnitStruct));
    refuses(Some(Some(None::<u8>)));
    refuses(Some(serde_json::Value::Null));
}

#[test]
fn refused_value_says_what_to_change() {
    let text = |error: pycket_core::Error| std::error::Error::source(&error).unwrap().to_string();
    let wide = text(Value::encode(&1_u128).unwrap_err());
    assert_eq!(wide, "MessagePack has no 128-bit integers; store it as a string");
    let nested = text(Value::encode(&Some(None::<u8>)).unwrap_err());
    assert_eq!(nested, "`Some` of `None` or `()` cannot be told from `None`");
}

#[test]
fn deeply_nested_enum_of_a_hostile_store_is_an_error() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "never read")]
    enum Deep {
        A(Box<Self>),
    }
    let bytes = [0x81, 0xa1, b'A'].repeat(200_000);
    assert_eq!(Value::from(bytes).decode::<Deep>().unwrap_err().kind(), ErrorKind::Decode);
}
