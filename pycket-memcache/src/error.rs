use std::io;

use pycket_core::{Error, ErrorKind, SessionId};

/// Why a request to a server failed.
pub(crate) enum Failure {
    /// It was surely not carried out.
    NotDone(io::Error),
    /// It was sent, and there is no answer that says what became of it.
    Unknown(io::Error),
    /// The server could not do it, in its own words.
    Failed(String),
    /// The server did not understand, in its own words.
    Rejected(String),
    /// The item would be larger than the server takes.
    TooLarge,
    /// The server does not number its items.
    WithoutCas,
}

/// Whether the request would have changed something that matters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    Read,
    Write,
}

/// What a failure of a request for `id` means to the caller.
pub(crate) fn classify(failure: Failure, request: Request, id: &SessionId) -> Error {
    match failure {
        Failure::NotDone(source) => of_kind(ErrorKind::Unavailable).with_source(source),
        Failure::Unknown(source) if request == Request::Read => {
            of_kind(ErrorKind::Unavailable).with_source(source)
        }
        Failure::Unknown(source) => of_kind(ErrorKind::Ambiguous).with_source(source),
        Failure::TooLarge => of_kind(ErrorKind::TooLarge),
        Failure::Failed(words) => of_kind(kind_of_failed(&words, request)).quoting(words, id),
        // All that the client lets through of "ERROR Too many open connections".
        Failure::Rejected(words) if words == "ERROR" => Error::new(
            ErrorKind::Unavailable,
            "memcached refused the request: it has no connection left, or is older than 1.6.12",
        ),
        Failure::Rejected(words) => of_kind(ErrorKind::Rejected).quoting(words, id),
        Failure::WithoutCas => Error::new(
            ErrorKind::Rejected,
            "memcached runs without CAS, which keeps writers apart; start it without `-C`",
        ),
    }
}

/// The record under `id` would be damaged, or damage what it is not.
pub(crate) fn corrupt(what: &'static str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the stored session cannot be read: {what}"))
}

/// The same error, for an operation of which a part may have happened.
pub(crate) fn partly(error: Error) -> Error {
    of_kind(ErrorKind::Ambiguous).with_source(error)
}

fn kind_of_failed(words: &str, request: Request) -> ErrorKind {
    if words.contains("object too large") {
        ErrorKind::TooLarge
    } else if words.contains("out of memory storing") {
        ErrorKind::Full
    } else if request == Request::Read {
        ErrorKind::Unavailable
    } else {
        ErrorKind::Ambiguous
    }
}

fn of_kind(kind: ErrorKind) -> Error {
    Error::new(kind, message(kind))
}

fn message(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unavailable => "memcached is not available",
        ErrorKind::Ambiguous => "memcached did not say whether it stored the session",
        ErrorKind::TooLarge => "the session is larger than memcached's item limit (`-I`)",
        ErrorKind::Full => "memcached has no memory for the session; raise `-m` or add servers",
        _ => "memcached refused the request; it must be 1.6.12 or later, without authentication",
    }
}

trait Quoting {
    fn quoting(self, words: String, id: &SessionId) -> Self;
}

impl Quoting for Error {
    /// With the server's words as the source, unless they repeat the id.
    fn quoting(self, words: String, id: &SessionId) -> Self {
        if repeats(&words, &id.expose()) { self } else { self.with_source(words) }
    }
}

/// Servers and proxies differ in what they repeat of a request, and where they cut it off.
fn repeats(text: &str, id: &str) -> bool {
    const LENGTH: usize = 8;
    let parts = (0..id.len()).filter_map(|start| id.get(start..start + LENGTH));
    parts.into_iter().any(|part| text.contains(part))
}
