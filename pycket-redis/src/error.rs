use pycket_core::{Error, ErrorKind, SessionId};
use redis::{RedisError, ServerErrorKind};

use crate::connection::Failure;

/// Whether the request would have changed something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    Read,
    Write,
}

/// What a failure of a request for `id` means to the caller.
pub(crate) fn classify(failure: Failure, request: Request, id: &SessionId) -> Error {
    let (kind, source) = match failure {
        Failure::Unsent(source) if is_of_tls(&source) => {
            return Error::new(ErrorKind::Rejected, TLS_FAILED).with_source(source);
        }
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
    if repeats(&source.to_string(), &id.expose()) { error } else { error.with_source(source) }
}

/// Servers differ in what they repeat of a request, and where they cut it off.
fn repeats(text: &str, id: &str) -> bool {
    const LENGTH: usize = 8;
    let parts = (0..id.len()).filter_map(|start| id.get(start..start + LENGTH));
    parts.into_iter().any(|part| text.contains(part))
}

impl Failure {
    /// Whether it may have happened all the same.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Sent(error) if answered_kind(error).is_none())
    }

    /// Whether it surely did not happen, and may go better a moment later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unsent(error) => {
                !is_of_tls(error)
                    && answered_kind(error).is_none_or(|kind| kind == ErrorKind::Unavailable)
            }
            Self::Sent(error) => answered_kind(error) == Some(ErrorKind::Unavailable),
        }
    }
}

const TLS_FAILED: &str = "no TLS connection to Redis came about; check that the port speaks TLS, which \
                          authority signed the server's certificate and until when it is good, and \
                          whether the server wants one of ours";

/// The client hands on only the words of what it does TLS with.
fn is_of_tls(error: &RedisError) -> bool {
    const WORDS: [&str; 4] = [
        "invalid peer certificate",
        "received fatal alert",
        "received corrupt message",
        "peer is incompatible",
    ];
    cfg!(feature = "tls") && error.is_io_error() && {
        let text = error.to_string();
        WORDS.iter().any(|words| text.contains(words))
    }
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

/// Servers before version 7 wrap a script's error in their own, so that its code is somewhere inside; and
/// the client drops the code of what is answered to a greeting.
fn kind_of_text(text: &str) -> ErrorKind {
    const UNAVAILABLE: [&str; 5] = [
        "READONLY You can't",
        "MISCONF Redis is",
        "NOREPLICAS Not enough",
        "loading the dataset",
        "max number of clients",
    ];
    if text.contains("WRONGTYPE Operation") {
        ErrorKind::Corrupt
    } else if text.contains("OOM command not allowed") {
        ErrorKind::Full
    } else if UNAVAILABLE.iter().any(|words| text.contains(words)) {
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
        ErrorKind::Ambiguous => "Redis did not confirm the write",
        ErrorKind::Full => "Redis has reached its memory limit; raise `maxmemory` or add servers",
        ErrorKind::Corrupt => "what Redis holds under the key of the session is not a session",
        _ => "Redis refused the request; check user, password, permissions and database number",
    }
}
