use pycket_core::{Error, ErrorKind};
use redis::{RedisError, ServerErrorKind};

use crate::connection::Failure;

/// Whether the request would have changed something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    Read,
    Write,
}

/// What a failure means to the caller. `secret` is the key, which no message may show.
pub(crate) fn classify(failure: Failure, request: Request, secret: &str) -> Error {
    let (kind, source) = match failure {
        Failure::Unsent(source) => match answered_kind(&source) {
            Some(kind) => (kind, source),
            None => (ErrorKind::Unavailable, source),
        },
        Failure::Sent(source) => match answered_kind(&source) {
            Some(kind) => (kind, source),
            None if request == Request::Read => (ErrorKind::Unavailable, source),
            None => (ErrorKind::Ambiguous, source),
        },
    };
    let error = Error::new(kind, message(kind));
    // Servers differ in what their messages repeat.
    if source.to_string().contains(secret) { error } else { error.with_source(source) }
}

/// What the server's own words mean; `None` if it is not the server that speaks.
fn answered_kind(error: &RedisError) -> Option<ErrorKind> {
    use redis::ErrorKind as Kind;
    match error.kind() {
        Kind::AuthenticationFailed | Kind::InvalidClientConfig | Kind::RESP3NotSupported => {
            Some(ErrorKind::Rejected)
        }
        Kind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::TryAgain
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::ReadOnly
            | ServerErrorKind::Moved
            | ServerErrorKind::Ask,
        ) => Some(ErrorKind::Unavailable),
        Kind::Server(ServerErrorKind::ResponseError) => Some(kind_of_text(&error.to_string())),
        Kind::Server(_) => Some(ErrorKind::Rejected),
        Kind::Extension => Some(kind_of_code(&code(error), &error.to_string())),
        _ => None,
    }
}

fn kind_of_code(code: &str, text: &str) -> ErrorKind {
    match code {
        "OOM" => ErrorKind::Full,
        "WRONGTYPE" => ErrorKind::Corrupt,
        "BUSY" | "MISCONF" | "NOREPLICAS" => ErrorKind::Unavailable,
        _ => kind_of_text(text),
    }
}

/// Servers before version 7 wrap a script's error in their own, so that its code is somewhere inside.
fn kind_of_text(text: &str) -> ErrorKind {
    if text.contains("WRONGTYPE") {
        ErrorKind::Corrupt
    } else if text.contains("OOM command not allowed") {
        ErrorKind::Full
    } else if text.contains("max number of clients") {
        ErrorKind::Unavailable
    } else {
        ErrorKind::Rejected
    }
}

fn code(error: &RedisError) -> String {
    let errors = error.clone().into_server_errors();
    let first = errors.as_deref().and_then(<[_]>::first);
    first.map(|(_, error)| error.code().to_owned()).unwrap_or_default()
}

fn message(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unavailable => "Redis is not available",
        ErrorKind::Ambiguous => "the connection to Redis broke before it answered",
        ErrorKind::Full => "Redis has reached its memory limit; raise `maxmemory` or add servers",
        ErrorKind::Corrupt => "what Redis holds under the key of the session is not a session",
        _ => "Redis refused the request; check user, password, permissions and database number",
    }
}
