use std::borrow::Cow;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// The error of every session operation and of every store.
///
/// [`kind`](Self::kind) says what the caller can do. `source()` is the error behind it, if there is one,
/// and the message does not repeat it. Neither the message nor a source that a driver attaches may contain
/// a session id, a stored value or a secret.
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
#[doc(alias("LoadError", "SaveError", "UpdateError"))] // actix-session
pub struct Error {
    kind: ErrorKind,
    message: Cow<'static, str>,
    source: Option<Source>,
}

/// The kinds of errors, by what the caller can do about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The store could not be reached. The operation did not happen, so it is safe to try again.
    #[doc(alias = "Backend")] // tower-sessions
    Unavailable,
    /// The operation was sent, but its result is unknown: all of it happened, or nothing.
    Ambiguous,
    /// The store has something under the id that is not a record of a version that this crate reads.
    /// It is left as it is.
    Corrupt,
    /// The record is larger than the store accepts: it is not stored, and the stored one is unchanged. A load returns this
    /// for a stored record that is larger than the driver reads.
    TooLarge,
    /// The store accepts no more data. Nothing was stored, and no live record was removed.
    Full,
    /// The store refused the operation, for example because of wrong credentials, a missing permission or
    /// an unusable setting.
    Rejected,
    /// The session ended (logout or timeout), or another request gave it another id, before the operation reached the
    /// store. Nothing was stored.
    Ended,
    /// The session would need another id, and the response has left, so that the client cannot get the
    /// cookie. Nothing was stored.
    TooLate,
    /// Other requests came first at every attempt: they changed the value of an atomic change, the list of the user's
    /// sessions, or the record in a store that has to read it first. Nothing was stored.
    Conflict,
    /// The session has no value of that name.
    KeyNotFound,
    /// The stored value is not of the requested type. It is unchanged.
    Decode,
    /// The value cannot be serialized. The session is unchanged.
    Encode,
    /// The name is empty or reserved for the library.
    InvalidName,
    /// The text is not a session id, or not the handle of a session.
    InvalidId,
    /// The id of a user is empty or too long.
    InvalidUserId,
    /// A setting is out of its range or contradicts another setting.
    InvalidSetting,
}

impl Error {
    /// An error of `kind`. `message` is for the operator. It must not contain an id, a value or a secret.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Sets the error that caused this one. It must not contain an id, a value or a secret either.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The kind of this error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call may succeed if it is repeated later: `Unavailable`, `Ambiguous`, `Conflict`.
    /// After `Ambiguous` the first call may have succeeded, too.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Unavailable | ErrorKind::Ambiguous | ErrorKind::Conflict)
    }
}
