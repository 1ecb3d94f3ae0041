use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pycket_core::{Clock, Error, ErrorKind, KeySpace, SystemClock};

use crate::SqliteStore;
use crate::connection::Reopening;
use crate::worker::Worker;

/// The settings of a [`SqliteStore`]; from [`SqliteStore::builder`].
#[derive(Debug)]
#[must_use]
pub struct SqliteStoreBuilder {
    path: PathBuf,
    dataset: String,
    timeout: Duration,
    max_bytes: Option<u64>,
    clock: Arc<dyn Clock>,
}

impl SqliteStoreBuilder {
    /// Five seconds, as is usual with SQLite: enough for thousands of writes, and not too long for a user.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

    /// One hour.
    pub const MAX_TIMEOUT: Duration = Duration::from_secs(60 * 60);

    /// 64 KiB: the empty tables need almost as much.
    pub const MIN_BYTES: u64 = 64 * 1024;

    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            dataset: KeySpace::SESSIONS.to_owned(),
            timeout: Self::DEFAULT_TIMEOUT,
            max_bytes: None,
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// The dataset, by default the [sessions](KeySpace::SESSIONS). A second store with another dataset, such
    /// as the [notifications](KeySpace::NOTIFICATIONS), may use the same file.
    pub fn dataset(mut self, dataset: impl Into<String>) -> Self {
        self.dataset = dataset.into();
        self
    }

    /// How long a call waits for other calls, of this process and of other processes: more than zero, at
    /// most [one hour](Self::MAX_TIMEOUT), by default [five seconds](Self::DEFAULT_TIMEOUT).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The largest size of the file in bytes, [64 KiB](Self::MIN_BYTES) or more; by default only the disk
    /// limits it. A call that would exceed it fails as [`Full`](ErrorKind::Full); no live record is removed.
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = Some(max_bytes);
        self
    }

    /// The clock, by default the machine's. The clocks of all processes must agree.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Builds the store. It opens the file on first use.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`](ErrorKind::InvalidSetting) for a setting out of its range;
    /// [`Unavailable`](ErrorKind::Unavailable) if no thread can be started.
    pub fn build(self) -> Result<SqliteStore, Error> {
        if self.timeout.is_zero() || self.timeout > Self::MAX_TIMEOUT {
            return Err(invalid("`timeout` must be more than zero and at most one hour"));
        }
        if self.max_bytes.is_some_and(|bytes| bytes < Self::MIN_BYTES) {
            return Err(invalid("`max_bytes` must be 65536 (64 KiB) or more"));
        }
        let max_bytes = self.max_bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        let file = Reopening::new(self.path, max_bytes);
        let worker = Worker::start(file, self.timeout)?;
        Ok(SqliteStore::new(worker, KeySpace::new("", &self.dataset), self.clock))
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidSetting, message)
}
