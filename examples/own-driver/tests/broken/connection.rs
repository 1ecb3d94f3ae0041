use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use pycket_core::{Clock as _, Error, ErrorKind, SystemClock};
use rusqlite::Connection;
use tokio::sync::OwnedMutexGuard;
use tokio::task::yield_now;

use crate::fault::Fault;

/// One database: its file, and the lock that each writer waits for.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) path: PathBuf,
    lock: Arc<tokio::sync::Mutex<()>>,
}

impl Database {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), lock: Arc::default() }
    }

    /// Waits for the lock.
    pub(crate) async fn lock(&self) -> OwnedMutexGuard<()> {
        self.lock.clone().lock_owned().await
    }

    pub(crate) fn open(&self) -> Result<Connection, Error> {
        let connection = Connection::open(&self.path).map_err(unavailable)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA busy_timeout = 0;",
            )
            .map_err(unavailable)?;
        Ok(connection)
    }
}

/// The idle connections of a handle.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) fault: Option<Fault>,
    pub(crate) database: Database,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(crate) fn new(fault: Option<Fault>, database: Database) -> Self {
        Self { fault, database, idle: Mutex::default() }
    }

    /// Waits for the lock and begins a transaction.
    pub(crate) async fn write(&self) -> Result<Call<'_>, Error> {
        let lock = self.database.lock().await;
        self.begin("BEGIN IMMEDIATE", Some(lock)).await
    }

    pub(crate) async fn read(&self) -> Result<Call<'_>, Error> {
        self.begin("BEGIN", None).await
    }

    async fn begin(
        &self,
        begin: &str,
        lock: Option<OwnedMutexGuard<()>>,
    ) -> Result<Call<'_>, Error> {
        let idle = self.idle.lock().unwrap().pop();
        let connection = idle.map_or_else(|| self.database.open(), Ok)?;
        // With the fault, a dropped call may have left a transaction open. This call then joins it.
        let is_outer = connection.is_autocommit();
        let call =
            Call { pool: self, connection: Mutex::new(Some(connection)), is_outer, _lock: lock };
        if is_outer {
            call.sql(|connection| connection.execute_batch(begin)).map_err(busy)?;
        }
        yield_now().await;
        Ok(call)
    }
}

/// A call on a connection of the pool. Each statement is followed by a moment in which it can be dropped.
pub(crate) struct Call<'p> {
    pool: &'p Pool,
    /// `None` while this is being dropped. The mutex makes a reference to this `Send`.
    connection: Mutex<Option<Connection>>,
    is_outer: bool,
    _lock: Option<OwnedMutexGuard<()>>,
}

impl Call<'_> {
    /// Runs statements.
    pub(crate) fn sql<T>(
        &self,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        run(self.connection.lock().unwrap().as_ref().unwrap()).map_err(|error| {
            let refused = Error::new(ErrorKind::Rejected, "the database refused a statement");
            match self.pool.fault {
                Some(Fault::SourcesRepeatTheKey) => refused.with_source(error),
                _ => refused,
            }
        })
    }

    pub(crate) async fn execute(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<usize, Error> {
        let rows = self.sql(|connection| connection.prepare_cached(sql)?.execute(parameters))?;
        yield_now().await;
        Ok(rows)
    }

    pub(crate) fn commit(&self) -> Result<(), Error> {
        match self.is_outer {
            true => self.sql(|connection| connection.execute_batch("COMMIT")),
            false => Ok(()),
        }
    }

    /// Commits what was done so far, as a driver without a transaction does.
    pub(crate) async fn commit_statement(&self) -> Result<(), Error> {
        self.sql(|connection| connection.execute_batch("COMMIT; BEGIN IMMEDIATE"))?;
        yield_now().await;
        Ok(())
    }
}

impl Drop for Call<'_> {
    /// Rolls back what was not committed, before another call can use the connection.
    fn drop(&mut self) {
        let connection = self.connection.lock().unwrap().take().unwrap();
        let leaves = self.pool.fault == Some(Fault::DroppedCallsLeaveATransaction);
        if !leaves && !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK").unwrap();
        }
        self.pool.idle.lock().unwrap().push(connection);
    }
}

fn unavailable(error: rusqlite::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "the database is not available").with_source(error)
}

/// Another connection holds the lock.
fn busy(error: Error) -> Error {
    Error::new(ErrorKind::Unavailable, "the database is busy").with_source(error)
}

/// In milliseconds since 1970.
pub(crate) fn now() -> i64 {
    SystemClock::new().now().unix_millis().cast_signed()
}
