use std::path::{Path, PathBuf};

use own_driver::{SqliteStore, SqliteStoreBuilder};
use pycket_core::{
    Creation, Error, Metadata, Record, SessionId, SessionStore, Timestamp, Ttl, Value,
};
use pycket_testkit::all_shown_by;
use rusqlite::Connection;
use tempfile::TempDir;

pub(crate) const HOUR: Ttl = Ttl::from_millis(3_600_000).unwrap();

/// A value that no error may show.
pub(crate) const SECRET: &str = "open-sesame";

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
}

pub(crate) fn raw(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

pub(crate) fn text(text: &str) -> Value {
    Value::encode(text).unwrap()
}

pub(crate) fn record<const N: usize>(values: [(&str, &str); N]) -> Record {
    let metadata = Metadata::new(Timestamp::from_unix_millis(1_600_000_000_000));
    Record::new(metadata, values.map(|(name, value)| (name, text(value))))
}

/// Stores a record under a new id.
pub(crate) async fn put(store: &SqliteStore, record: &Record, ttl: Ttl) -> SessionId {
    let id = SessionId::generate();
    assert_eq!(store.create(&id, record, ttl).await.unwrap(), Creation::Created);
    id
}

pub(crate) async fn stored(store: &SqliteStore, id: &SessionId) -> Option<Record> {
    store.load(id).await.unwrap().map(|loaded| loaded.record)
}

/// Whether a log of the error or of its sources would show the id or the secret.
pub(crate) fn shows_a_secret(error: &Error, id: &SessionId) -> bool {
    let shown = all_shown_by(error);
    shown.contains(&id.expose()) || shown.contains(SECRET)
}
