//! Helpers for authors of store drivers.
//!
//! No driver has to use them. They help a driver to keep session ids out of its errors, and they give the
//! settings of all drivers the same rules and the same error texts.
//!
//! ```
//! use std::time::Duration;
//! use pycket_core::driver;
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Settings {
//!     #[serde(rename = "deadline_ms", deserialize_with = "driver::deserialize_millis")]
//!     deadline: Duration,
//! }
//!
//! let settings: Settings = toml::from_str("deadline_ms = 300").unwrap();
//! assert_eq!(driver::check_timeout("deadline", settings.deadline)?, Duration::from_millis(300));
//!
//! let error = driver::check_range("max_connections", 0, 1..=1000).unwrap_err();
//! assert_eq!(error.to_string(), "`max_connections` must be 1 to 1000");
//! # Ok::<(), pycket_core::Error>(())
//! ```

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::{Error, ErrorKind, KeySpace, SessionId};

/// Longer timeouts are shortened to this one. It can be added to any time of the clock.
const MAX_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// An error of kind [`InvalidSetting`](ErrorKind::InvalidSetting).
///
/// The message names the setting and says what to change. It must not hold a secret.
pub fn invalid_setting(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidSetting, message)
}

/// An error of kind [`Corrupt`](ErrorKind::Corrupt) for a record that cannot be read. The reason says what is wrong with
/// it, for example `"its expiry is damaged"`, and must not hold stored bytes.
pub fn corrupt(reason: &'static str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the stored session cannot be read: {reason}"))
}

/// Checks a number against the range of its setting.
///
/// # Errors
///
/// [`InvalidSetting`](ErrorKind::InvalidSetting) for a number out of range.
pub fn check_range(
    setting: &str,
    number: usize,
    range: RangeInclusive<usize>,
) -> Result<(), Error> {
    if range.contains(&number) {
        return Ok(());
    }
    Err(invalid_setting(format!("`{setting}` must be {} to {}", range.start(), range.end())))
}

/// Checks a timeout and returns it. A timeout of more than a year becomes one year, so that it can be added to
/// the current time.
///
/// # Errors
///
/// [`InvalidSetting`](ErrorKind::InvalidSetting) for a timeout of zero.
pub fn check_timeout(setting: &str, timeout: Duration) -> Result<Duration, Error> {
    if timeout.is_zero() {
        return Err(invalid_setting(format!("`{setting}` must be more than zero")));
    }
    Ok(timeout.min(MAX_TIMEOUT))
}

/// Reads a duration that a settings file gives in whole milliseconds. For `#[serde(deserialize_with = …)]`.
///
/// # Errors
///
/// Those of the deserializer, for anything but a non-negative integer.
pub fn deserialize_millis<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

/// Attaches what a server or client said as the source of `error`, unless it repeats a part of `id`.
///
/// Servers and proxies repeat different parts of a request in their errors, and cut them at different places. So
/// eight consecutive characters of the id are enough, as a UUID or as it is in a key.
///
/// ```
/// use std::error::Error as _;
/// use pycket_core::{Error, ErrorKind, KeySpace, SessionId, driver};
///
/// let id = SessionId::generate();
/// let refused = || Error::new(ErrorKind::Rejected, "the server refused the request");
///
/// let error = driver::with_source_without_id(refused(), "wrong password", &id);
/// assert_eq!(error.source().unwrap().to_string(), "wrong password");
///
/// let key = KeySpace::new("pycket:", KeySpace::SESSIONS).key(&id);
/// let text = format!("unknown command 'get {}...'", &key[..20]);
/// assert!(driver::with_source_without_id(refused(), text, &id).source().is_none());
/// ```
pub fn with_source_without_id<S>(error: Error, source: S, id: &SessionId) -> Error
where
    S: Display + Into<Box<dyn std::error::Error + Send + Sync>>,
{
    const LENGTH: usize = 8;
    let text = source.to_string();
    let repeats = |id: String| {
        let mut parts = (0..id.len()).filter_map(|start| id.get(start..start + LENGTH));
        parts.any(|part| text.contains(part))
    };
    let in_key = KeySpace::new("", KeySpace::SESSIONS).key(id);
    if repeats(id.expose()) || repeats(in_key) { error } else { error.with_source(source) }
}
