use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::error::Failure;
use crate::schema;

/// Between two attempts at a step for which SQLite itself does not wait.
const PAUSE: Duration = Duration::from_millis(2);

/// The file and its connection. The connection is opened on first use, and again after a failure.
#[derive(Debug)]
pub(crate) struct Reopening {
    path: PathBuf,
    max_bytes: Option<i64>,
    open: Option<Connection>,
}

impl Reopening {
    pub(crate) fn new(path: PathBuf, max_bytes: Option<i64>) -> Self {
        Self { path, max_bytes, open: None }
    }

    /// Does `work`. It waits for other connections until `deadline` at most.
    pub(crate) fn run<T>(
        &mut self,
        deadline: Instant,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut connection = match self.open.take() {
            Some(connection) => connection,
            None => self.open(deadline)?,
        };
        connection.busy_timeout(remaining(deadline)?)?;
        let outcome = work(&mut connection);
        if outcome.as_ref().err().is_none_or(Failure::keeps_the_connection) {
            self.open = Some(connection);
        }
        outcome
    }

    fn open(&self, deadline: Instant) -> Result<Connection, Failure> {
        // Without `SQLITE_OPEN_URI`, so that a path that begins with `file:` is still a path.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(remaining(deadline)?)?;
        use_wal(&connection, deadline)?;
        // With WAL a crash of the process loses nothing; a power cut may lose the last commits.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        if let Some(max_bytes) = self.max_bytes {
            let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
            let pages = (max_bytes / page.max(1)).clamp(1, i64::from(u32::MAX - 1));
            connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
        }
        schema::migrate(&mut connection)?;
        Ok(connection)
    }
}

/// With WAL, readers and the writer do not wait for each other. The file stores the mode, so only its first
/// connection changes it. Connections at the same moment fail as busy at once, and try again.
fn use_wal(connection: &Connection, deadline: Instant) -> Result<(), Failure> {
    loop {
        let mode: rusqlite::Result<String> =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0));
        match mode.map_err(Failure::from) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => return Err(Failure::Rejected("its journal mode cannot be set to WAL")),
            Err(failure) if !failure.is_busy() => return Err(failure),
            Err(_) => thread::sleep(PAUSE.min(remaining(deadline)?)),
        }
    }
}

fn remaining(deadline: Instant) -> Result<Duration, Failure> {
    let remaining = deadline.saturating_duration_since(Instant::now());
    if remaining.is_zero() { Err(Failure::Late) } else { Ok(remaining) }
}
