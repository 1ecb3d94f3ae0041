//! The SQLite driver keeps the contract of `SessionStore`.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use own_driver::{SqliteStore, SqliteStoreBuilder};
use pycket_core::SessionStore;
use pycket_testkit::{Harness, ManualClock, Time};
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
}

pycket_testkit::conformance!(Sqlite::new());
