use std::borrow::Cow;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a session operation failed.
///
/// One type for the whole library: [`kind`](Self::kind) says what to do about it, `source()` is the
/// underlying error where there is one, and the message does not repeat the source. No message, and no
/// source that a driver attaches, holds a session id, a stored value or a secret.
///
/// ```
/// use pycket_core::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::Unavailable, "could not connect to the store")
///     .with_source(std::io::Error::from(std::io::ErrorKind::ConnectionRefused));
/// assert!(error.is_transient());
/// assert_eq!(error.to_string(), "could not connect to the store");
/// assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "connection refused");
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: Cow<'static, str>,
    source: Option<Source>,
}

/// What went wrong, in terms of what the caller can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The store could not be reached. The operation surely did not happen; trying again is safe.
    Unavailable,
    /// The operation was sent and its outcome is unknown: it happened whole or not at all.
    Ambiguous,
    /// What the store holds under the id is not a record that this version reads.
    /// It is reported, never guessed at, and never overwritten.
    Corrupt,
    /// The record would exceed what the store accepts. What was stored before is still there.
    TooLarge,
    /// The store takes no further data. Nothing was evicted, nothing was stored.
    Full,
    /// The store understood and refused: wrong credentials, missing permission, unusable settings.
    Rejected,
    /// The session ended (logout, expiry) while the operation was under way; nothing was stored.
    Ended,
    /// Other writers won every attempt of an atomic update; nothing was stored.
    Conflict,
    /// The session holds no value of that name.
    KeyNotFound,
    /// A stored value is not of the type that was asked for. It is still there.
    Decode,
    /// A value cannot be serialized. The session is unchanged.
    Encode,
    /// A name that no value can have: the empty one, or one that is reserved for the library.
    InvalidName,
    /// A text that is not a session id.
    InvalidId,
    /// A setting outside its range, or one that contradicts another.
    InvalidSetting,
}

impl Error {
    /// An error of `kind`; `message` is for the operator and must hold no id, value or secret.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The same error with the one that caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call may succeed a moment later without any change by anybody.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Unavailable | ErrorKind::Ambiguous | ErrorKind::Conflict)
    }
}
