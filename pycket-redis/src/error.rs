use std::sync::Arc;

use pycket_core::{Error, ErrorKind, SessionId, driver};
use redis::{RedisError, ServerErrorKind};

use crate::connection::TooLarge;

/// Why a request has no result.
pub(crate) enum Failure {
    /// There is no connection, so the request was not sent.
    Unsent(RedisError),
    /// The request was sent, or may have been sent.
    Sent(RedisError),
    /// The server carried the request out, and too few replicas confirmed it.
    Unconfirmed(RedisError),
}

/// Whether a request may change the record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Which connections to a server are useless after an error.
#[derive(PartialEq, Eq)]
pub(crate) enum Damage {
    None,
    /// The one that the error came from.
    Connection,
    /// All of them.
    Server,
}

impl Failure {
    pub(crate) fn into_source(self) -> RedisError {
        match self {
            Self::Unsent(error) | Self::Sent(error) | Self::Unconfirmed(error) => error,
        }
    }

    /// Whether the request may have been carried out all the same.
    pub(crate) fn is_ambiguous(&self) -> bool {
        match self {
            Self::Unsent(_) => false,
            Self::Sent(error) => server_error(error).is_none(),
            Self::Unconfirmed(_) => true,
        }
    }

    /// Whether the request was certainly not carried out and may succeed a moment later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unsent(error) => {
                !is_tls_error(error)
                    && server_error(error).is_none_or(|kind| kind == ErrorKind::Unavailable)
            }
            Self::Sent(error) => server_error(error) == Some(ErrorKind::Unavailable),
            Self::Unconfirmed(_) => false,
        }
    }

    /// Whether the connection broke, rather than an answer being late.
    pub(crate) fn is_break(&self) -> bool {
        matches!(self, Self::Sent(error) if is_break(error))
    }

    /// The error that the caller of the store gets for a request about `id`.
    pub(crate) fn into_error(self, access: Access, id: &SessionId) -> Error {
        let is_unsent = matches!(self, Self::Unsent(_));
        let source = self.into_source();
        if is_unsent && is_tls_error(&source) {
            return Error::new(ErrorKind::Rejected, TLS_FAILED).with_source(source);
        }
        if source.kind() == redis::ErrorKind::RESP3NotSupported {
            return Error::new(ErrorKind::Rejected, NO_RESP3).with_source(source);
        }
        let kind = match server_error(&source) {
            Some(kind) => kind,
            None if (is_unsent || access == Access::Read) && is_caused_by::<TooLarge>(&source) => {
                ErrorKind::TooLarge
            }
            None if is_unsent || access == Access::Read => ErrorKind::Unavailable,
            None => ErrorKind::Ambiguous,
        };
        driver::with_source_without_id(Error::new(kind, message(kind)), source, id)
    }
}

impl Damage {
    /// If the server ended or became a replica, all connections are useless: its name may lead to another
    /// server by now. After a timeout or an answer that is too large, or if a proxy has lost the login,
    /// only this one is. After a timeout, `kills` decides whether the others are closed, too.
    pub(crate) fn of(error: &RedisError) -> Self {
        if error.is_timeout() || code(error) == "NOAUTH" || is_caused_by::<TooLarge>(error) {
            Self::Connection
        } else if is_break(error) || is_from_replica(error) {
            Self::Server
        } else {
            Self::None
        }
    }
}

fn is_break(error: &RedisError) -> bool {
    (error.is_io_error() || error.is_unrecoverable_error()) && !error.is_timeout()
}

/// Servers before version 7 put the error of a script inside another one.
fn is_from_replica(error: &RedisError) -> bool {
    error.kind() == ServerErrorKind::ReadOnly.into() || error.to_string().contains("READONLY You")
}

fn is_caused_by<E: std::error::Error + 'static>(error: &RedisError) -> bool {
    type Shared = Arc<dyn std::error::Error + Send + Sync>;
    let source =
        std::error::Error::source(error).and_then(|source| source.downcast_ref::<Shared>());
    let source = source.and_then(|source| source.downcast_ref::<std::io::Error>());
    source.and_then(|error| error.get_ref()).is_some_and(|inner| inner.is::<E>())
}

#[cfg(feature = "tls")]
fn is_tls_error(error: &RedisError) -> bool {
    is_caused_by::<rustls::Error>(error)
}

#[cfg(not(feature = "tls"))]
fn is_tls_error(_: &RedisError) -> bool {
    false
}

/// What an error of the server means; `None` if the error is not from the server.
fn server_error(error: &RedisError) -> Option<ErrorKind> {
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
        Kind::Extension => Some(match code(error).as_str() {
            "OOM" => ErrorKind::Full,
            "WRONGTYPE" => ErrorKind::Corrupt,
            "BUSY" | "MISCONF" | "NOREPLICAS" => ErrorKind::Unavailable,
            _ => kind_of_text(&error.to_string()),
        }),
        _ => None,
    }
}

/// Servers before version 7 put the error of a script inside another one, and the client drops the code of an
/// error that answers the login.
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

const TLS_FAILED: &str = "cannot open a TLS connection to Redis; check that the port speaks TLS, that \
                          `tls_authority` signed the server's certificate, that the certificate has not \
                          expired, and whether the server requires `tls_client`";

const NO_RESP3: &str =
    "this Redis server has no RESP3; remove `protocol=resp3` from the URL, or use Redis 6 or later";

fn message(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unavailable => "Redis is not available",
        ErrorKind::Ambiguous => "Redis did not confirm the write",
        ErrorKind::Full => "Redis has reached its memory limit; raise `maxmemory` or add servers",
        ErrorKind::TooLarge => {
            "the answer of Redis is too large; store less in the session or raise `max_response_bytes`"
        }
        ErrorKind::Corrupt => "the value that Redis holds under the session's key is not a session",
        _ => "Redis refused the request; check user, password, permissions and database number",
    }
}
