use pycket_core::{Error, ErrorKind};
use rusqlite::ErrorCode;

/// Why a call failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A step failed. The transaction was rolled back, so nothing happened.
    Step(rusqlite::Error),
    /// The commit failed.
    Commit(rusqlite::Error),
    /// The timeout passed before the call began.
    Late,
    /// The file is not in a format of this driver.
    Corrupt(&'static str),
    /// The file cannot be used with these settings.
    Rejected(&'static str),
}

impl Failure {
    /// Whether another connection holds a lock that this one needs.
    pub(crate) fn is_busy(&self) -> bool {
        let (Self::Step(error) | Self::Commit(error)) = self else { return false };
        matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        )
    }

    pub(crate) fn is_corrupt(&self) -> bool {
        self.kind() == ErrorKind::Corrupt
    }

    /// Whether the next call may use the connection.
    pub(crate) fn keeps_the_connection(&self) -> bool {
        self.is_busy() || matches!(self.kind(), ErrorKind::Full | ErrorKind::TooLarge)
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Step(error) => kind(error),
            Self::Commit(error) => match kind(error) {
                // If the disk fails during the commit, the result is unknown.
                ErrorKind::Unavailable if !self.is_busy() => ErrorKind::Ambiguous,
                kind => kind,
            },
            Self::Late => ErrorKind::Unavailable,
            Self::Corrupt(_) => ErrorKind::Corrupt,
            Self::Rejected(_) => ErrorKind::Rejected,
        }
    }
}

fn kind(error: &rusqlite::Error) -> ErrorKind {
    match error {
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::Utf8Error(..) => return ErrorKind::Corrupt,
        _ => {}
    }
    match error.sqlite_error_code() {
        Some(
            ErrorCode::CannotOpen
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::OperationInterrupted
            | ErrorCode::OutOfMemory
            | ErrorCode::SystemIoFailure,
        ) => ErrorKind::Unavailable,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => ErrorKind::Corrupt,
        Some(ErrorCode::DiskFull) => ErrorKind::Full,
        Some(ErrorCode::TooBig) => ErrorKind::TooLarge,
        _ => ErrorKind::Rejected,
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Step(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let kind = failure.kind();
        match failure {
            // The code may be a source. The message may not: triggers and constraints can put the key into it,
            // and messages of `rusqlite` about a value that it could not convert may show the value.
            Failure::Step(error) | Failure::Commit(error) => match error {
                rusqlite::Error::SqliteFailure(code, _) => {
                    Self::new(kind, message(kind)).with_source(code)
                }
                _ => Self::new(kind, message(kind)),
            },
            Failure::Late => {
                Self::new(kind, "SQLite was busy with other calls; this call was not attempted")
            }
            Failure::Corrupt(why) => Self::new(kind, format!("{}: {why}", message(kind))),
            Failure::Rejected(why) => Self::new(kind, format!("{}: {why}", message(kind))),
        }
    }
}

fn message(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unavailable => "the SQLite file is not available",
        ErrorKind::Ambiguous => "the SQLite file failed while a change was being committed",
        ErrorKind::Corrupt => "the SQLite file does not hold valid sessions",
        ErrorKind::Full => "the SQLite file cannot grow; free its disk, or raise `max_bytes`",
        ErrorKind::TooLarge => "a session value is larger than SQLite stores",
        _ => "SQLite refused the file; check its permissions, its file system and its content",
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    fn sqlite(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn disk_failure_is_ambiguous_only_during_the_commit() {
        let kinds = [Failure::Step, Failure::Commit].map(|of| of(sqlite(ffi::SQLITE_IOERR)).kind());
        assert_eq!(kinds, [ErrorKind::Unavailable, ErrorKind::Ambiguous]);
    }

    #[test]
    fn busy_file_is_unavailable_even_at_the_commit() {
        let kinds = [Failure::Step, Failure::Commit].map(|of| of(sqlite(ffi::SQLITE_BUSY)).kind());
        assert_eq!(kinds, [ErrorKind::Unavailable; 2]);
    }

    #[test]
    fn value_beyond_the_limit_of_sqlite_is_too_large() {
        assert_eq!(Failure::Step(sqlite(ffi::SQLITE_TOOBIG)).kind(), ErrorKind::TooLarge);
    }

    #[test]
    fn unreadable_value_is_not_shown() {
        let error = rusqlite::Error::IntegralValueOutOfRange(0, 4711);
        let error = Error::from(Failure::Step(error));
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(!format!("{error:?}").contains("4711"), "{error:?}");
    }
}
