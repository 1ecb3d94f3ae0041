use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A string in a settings file that no error shows. An ordinary string would show a value of the wrong type.
pub(super) struct Secret(pub(super) String);

struct SecretVisitor;

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretVisitor)
    }
}

impl Visitor<'_> for SecretVisitor {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Secret, E> {
        Err(not_a_string())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Secret, E> {
        Err(not_a_string())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Secret, E> {
        Err(not_a_string())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Secret, E> {
        Err(not_a_string())
    }
}

fn not_a_string<E: Error>() -> E {
    E::custom("a `url` or `password` is not a string; put it in quotes")
}
