use std::path::{Path, PathBuf};

use own_driver::{SqliteStore, SqliteStoreBuilder};
use pycket_core::{Error, KeySpace, Record, SessionId, SessionStore};
use pycket_testkit::all_shown_by;
use pycket_testkit::fixtures::SECRET;
use rusqlite::Connection;
use tempfile::TempDir;

/// A file in a temporary folder.
pub(crate) struct File {
    folder: TempDir,
}

impl File {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("sessions.db")
    }

    /// With a timeout that even a slow machine does not reach.
    pub(crate) fn builder(&self) -> SqliteStoreBuilder {
        SqliteStore::builder(self.path()).timeout(SqliteStoreBuilder::MAX_TIMEOUT)
    }

    pub(crate) fn store(&self) -> SqliteStore {
        self.builder().build().unwrap()
    }

    /// A connection without the driver, for what an operator, another program or a failing disk may do.
    pub(crate) fn raw(&self) -> Connection {
        raw(&self.path())
    }

    /// Of its format.
    pub(crate) fn version(&self) -> i64 {
        self.raw().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }
}

pub(crate) fn raw(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

pub(crate) async fn stored(store: &SqliteStore, id: &SessionId) -> Option<Record> {
    store.load(id).await.unwrap().map(|loaded| loaded.record)
}

/// Whether a log of the error or of its sources would show the id or the secret.
pub(crate) fn shows_a_secret(error: &Error, id: &SessionId) -> bool {
    let shown = all_shown_by(error);
    let in_key = KeySpace::new("", KeySpace::SESSIONS).key(id);
    shown.contains(&id.expose()) || shown.contains(&in_key) || shown.contains(SECRET)
}
