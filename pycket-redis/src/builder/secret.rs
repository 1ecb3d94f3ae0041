use serde::Deserialize;
use serde::de::IgnoredAny;

/// A string in a settings file that no error shows, even where the value is not a string.
#[derive(Deserialize)]
#[serde(try_from = "Any")]
pub(super) struct Secret(pub(super) String);

#[derive(Deserialize)]
#[serde(untagged)]
enum Any {
    Text(String),
    Other(IgnoredAny),
}

impl TryFrom<Any> for Secret {
    type Error = &'static str;

    fn try_from(value: Any) -> Result<Self, Self::Error> {
        match value {
            Any::Text(text) => Ok(Self(text)),
            Any::Other(_) => Err("a `url` or `password` is not a string; put it in quotes"),
        }
    }
}
