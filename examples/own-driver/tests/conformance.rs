//! The SQLite driver keeps the contract of `SessionStore`.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use std::any::Any;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use own_driver::{SqliteStore, SqliteStoreBuilder};
use pycket_core::{KeySpace, SessionId, SessionStore};
use pycket_testkit::{Harness, ManualClock, Time};
use rusqlite::Connection;
use tempfile::TempDir;

/// A namespace is a file in a temporary folder; a handle is a connection to it.
#[derive(Debug)]
struct Sqlite {
    folder: TempDir,
    clock: ManualClock,
}

impl Sqlite {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), clock: ManualClock::new() }
    }

    /// A connection without the driver.
    fn raw(&self, path: &str) -> Connection {
        Connection::open(self.folder.path().join(path)).unwrap()
    }

    fn store(&self, path: impl AsRef<Path>) -> Arc<dyn SessionStore> {
        let builder = SqliteStore::builder(self.folder.path().join(path))
            .clock(self.clock.clone())
            // A slow machine fails no case.
            .timeout(SqliteStoreBuilder::MAX_TIMEOUT);
        Arc::new(builder.build().unwrap())
    }
}

#[async_trait]
impl Harness for Sqlite {
    async fn open(&self, namespace: &str) -> Arc<dyn SessionStore> {
        self.store(namespace)
    }

    fn time(&self) -> Time {
        Time::Manual(self.clock.clone())
    }

    async fn unreachable(&self) -> Option<Arc<dyn SessionStore>> {
        Some(self.store("no such folder/sessions.db"))
    }

    /// A file in which another program has made a trigger that refuses every new record and shows its key.
    async fn refusing(&self) -> Option<Arc<dyn SessionStore>> {
        let store = self.store("refusing.db");
        store.load(&SessionId::generate()).await.unwrap();
        let trigger = "CREATE TRIGGER refuse BEFORE INSERT ON pycket_records
                       BEGIN SELECT RAISE(ABORT, 'refused: key = ' || NEW.key); END";
        self.raw("refusing.db").execute_batch(trigger).unwrap();
        Some(store)
    }

    /// SQLite has one lock for the whole file.
    async fn hold(&self, namespace: &str, _: &SessionId) -> Option<Box<dyn Any + Send>> {
        let connection = self.raw(namespace);
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        Some(Box::new(connection))
    }

    async fn corrupt(&self, namespace: &str, id: &SessionId) -> bool {
        let sql = "UPDATE pycket_records SET granted = -1 WHERE key LIKE '%' || ?1";
        self.raw(namespace).execute(sql, [KeySpace::new("", "").key(id)]).unwrap() == 1
    }

    async fn records(&self, namespace: &str) -> Option<usize> {
        // The file does not exist before the first call.
        self.store(namespace).load(&SessionId::generate()).await.unwrap();
        let sql =
            "SELECT (SELECT count(*) FROM pycket_records) + (SELECT count(*) FROM pycket_values)";
        let count = self.raw(namespace).query_row(sql, (), |row| row.get::<_, u32>(0)).unwrap();
        Some(count as usize)
    }
}

pycket_testkit::conformance!(Sqlite::new());
