use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use pycket_core::{
    Changes, Clock, Creation, Error, KeySpace, Loaded, Record, SessionId, SessionStore, Ttl, Update,
};
use rusqlite::TransactionBehavior;

use crate::SqliteStoreBuilder;
use crate::error::Failure;
use crate::records::Records;
use crate::worker::Worker;

/// Sessions in an SQLite file. Any number of processes of one machine may use the file.
///
/// Build one store per process and share it: it has a connection and a thread. It opens the file on first
/// use, creates it if it is missing, and opens it again after a failure.
///
/// ```no_run
/// use own_driver::SqliteStore;
/// use pycket_core::SessionManager;
///
/// let store = SqliteStore::builder("/var/lib/shop/sessions.db").build()?;
/// let manager = SessionManager::new(store);
/// # Ok::<(), pycket_core::Error>(())
/// ```
///
/// Dropping it waits for the running call.
pub struct SqliteStore {
    worker: Worker,
    keys: KeySpace,
    clock: Arc<dyn Clock>,
}

impl SqliteStore {
    /// Settings for the file at `path`. Its folder must exist.
    pub fn builder(path: impl AsRef<Path>) -> SqliteStoreBuilder {
        SqliteStoreBuilder::new(path.as_ref().to_owned())
    }

    pub(crate) fn new(worker: Worker, keys: KeySpace, clock: Arc<dyn Clock>) -> Self {
        Self { worker, keys, clock }
    }

    /// Removes up to `limit` expired records of any dataset. Returns how many it removed.
    ///
    /// Calling it is optional: every `create` removes two, so expired records do not make the file grow. It
    /// is for an application that wants the space back while few sessions begin.
    ///
    /// # Errors
    ///
    /// Like every call of the store.
    pub async fn remove_expired(&self, limit: u32) -> Result<usize, Error> {
        self.write(move |records| records.remove_expired(limit)).await
    }

    /// A transaction reads the file as it was at one moment, whatever others write.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Records<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let clock = self.clock.clone();
        let call = self.worker.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
            work(&Records::new(&transaction, &*clock))
        });
        call.await
    }

    /// Takes the write lock at the start. A transaction that reads first and then writes fails if another one
    /// has written in between.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Records<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let clock = self.clock.clone();
        let call = self.worker.call(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let answer = work(&Records::new(&transaction, &*clock))?;
            transaction.commit().map_err(Failure::Commit)?;
            Ok(answer)
        });
        call.await
    }
}

#[async_trait]
impl SessionStore for SqliteStore {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        let (key, record) = (self.keys.key(id), record.clone());
        self.write(move |records| records.create(&key, &record, ttl)).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        let key = self.keys.key(id);
        self.read(move |records| records.load(&key)).await
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        let (key, changes) = (self.keys.key(id), changes.clone());
        self.write(move |records| records.update(&key, &changes, ttl)).await
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        let key = self.keys.key(id);
        self.write(move |records| records.delete(&key)).await?.map_err(Error::from)
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("keys", &self.keys).finish_non_exhaustive()
    }
}
