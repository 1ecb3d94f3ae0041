use std::io;

use pycket_core::{Error, ErrorKind, SessionId, driver};

/// Why a request has no result.
pub(crate) enum Failure {
    /// The server did not carry out the request.
    NotDone(io::Error),
    /// The request was sent and not answered.
    Unanswered(io::Error),
    /// The answer is `SERVER_ERROR` with this text.
    ServerError(String),
    /// The server does not understand or does not allow the request. This is its answer.
    Rejected(String),
    /// The item is larger than the server or `max_response_bytes` allows.
    TooLarge,
    /// The server does not number its items.
    NoCas,
}

/// Whether a request may change the record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

impl Failure {
    /// The error that the caller of the store gets for a request about `id`.
    pub(crate) fn into_error(self, access: Access, id: &SessionId) -> Error {
        match self {
            Self::NotDone(source) => of_kind(ErrorKind::Unavailable).with_source(source),
            Self::Unanswered(source) => of_kind(unknown(access)).with_source(source),
            Self::TooLarge => of_kind(ErrorKind::TooLarge),
            Self::ServerError(text) => {
                let error = of_kind(kind_of_server_error(&text, access));
                driver::with_source_without_id(error, text, id)
            }
            // The client cuts "ERROR Too many open connections" to its first word.
            Self::Rejected(text) if text == "ERROR" => Error::new(
                ErrorKind::Unavailable,
                "memcached refused the request: it has no connection left, or is older than 1.6.13",
            ),
            Self::Rejected(text) => {
                driver::with_source_without_id(of_kind(ErrorKind::Rejected), text, id)
            }
            Self::NoCas => Error::new(
                ErrorKind::Rejected,
                "memcached runs without CAS, which keeps writers apart; start it without `-C`",
            ),
        }
    }
}

/// The error of an operation of which an earlier step may have been carried out.
pub(crate) fn ambiguous(source: Error) -> Error {
    of_kind(ErrorKind::Ambiguous).with_source(source)
}

fn kind_of_server_error(text: &str, access: Access) -> ErrorKind {
    if text.contains("object too large") {
        ErrorKind::TooLarge
    } else if text.contains("out of memory storing") {
        ErrorKind::Full
    } else {
        unknown(access)
    }
}

fn unknown(access: Access) -> ErrorKind {
    match access {
        Access::Read => ErrorKind::Unavailable,
        Access::Write => ErrorKind::Ambiguous,
    }
}

fn of_kind(kind: ErrorKind) -> Error {
    let message = match kind {
        ErrorKind::Unavailable => "memcached is not available",
        ErrorKind::Ambiguous => "memcached did not say whether it stored the session",
        ErrorKind::TooLarge => {
            "the session is larger than memcached's item limit (`-I`) or `max_response_bytes`"
        }
        ErrorKind::Full => "memcached has no memory for the session; raise `-m` or add servers",
        _ => "memcached refused the request; it must be 1.6.13 or later, without authentication",
    };
    Error::new(kind, message)
}
