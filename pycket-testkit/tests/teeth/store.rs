use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use pycket_core::{
    Changes, Clock, Creation, Error, ErrorKind, Loaded, Record, SessionId, SessionStore, Ttl,
    Update, Version,
};

use crate::fault::Fault;
use crate::table::Table;

/// A handle on a table. The faults here need time to pass between two operations of the table.
pub(crate) struct Store {
    pub(crate) fault: Option<Fault>,
    pub(crate) namespace: String,
    pub(crate) table: Arc<Mutex<Table>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) lock: Arc<tokio::sync::Mutex<()>>,
    pub(crate) answers: Mutex<VecDeque<Option<Loaded>>>,
    /// Whether a dropped call has left a transaction open on the connection.
    pub(crate) has_transaction: AtomicBool,
}

/// The version of a load.
struct Read {
    loaded: Loaded,
    /// How often the record was updated.
    writes: Option<u32>,
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        let key = self.key(id);
        if self.table().is_corrupt(&key) {
            return Ok(Creation::Taken);
        }
        match self.fault {
            Some(Fault::DroppedCallsLeaveATransaction) => {
                let is_within = self.has_transaction.swap(true, Ordering::Relaxed);
                a_moment().await;
                let created = self.table().create(&key, record, ttl, self.now())?;
                self.has_transaction.store(is_within, Ordering::Relaxed);
                if is_within && created == Creation::Created {
                    self.table().roll_back(&key);
                }
                Ok(created)
            }
            Some(Fault::CreateChecksThenWrites) => {
                if self.found(&key).is_some() {
                    return Ok(Creation::Taken);
                }
                a_moment().await;
                self.table().put(&key, record, ttl.as_duration(), self.now());
                Ok(Creation::Created)
            }
            Some(Fault::CreateTakesTwoSteps) => {
                let head = Record::new(*record.metadata(), record.iter().take(0).map(owned));
                let created = self.table().create(&key, &head, ttl, self.now())?;
                if created == Creation::Created {
                    a_moment().await;
                    self.table().put(&key, record, ttl.as_duration(), self.now());
                }
                Ok(created)
            }
            _ => self.table().create(&key, record, ttl, self.now()),
        }
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        self.check_corrupt(&self.key(id))?;
        let answer = self.found(&self.key(id));
        match self.fault {
            Some(Fault::AnswersGoToTheNextCall) => {
                self.answers.lock().unwrap().push_back(answer);
                a_moment().await;
                Ok(self.answers.lock().unwrap().pop_front().flatten())
            }
            Some(Fault::NetworkIsNotDeclared) => {
                // Whether a server answers does not matter.
                let _ = tokio::net::TcpStream::connect("127.0.0.1:1").await;
                Ok(answer)
            }
            _ => Ok(answer.map(|loaded| {
                let writes = self.table().writes(&self.key(id));
                loaded.clone().with_version(Version::new(Read { loaded, writes }))
            })),
        }
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        let key = self.key(id);
        self.check_corrupt(&key)?;
        if let Some(read) = changes.version().and_then(Version::get)
            && let Some(answer) = self.update_read(&key, read, changes, ttl)
        {
            return Ok(answer);
        }
        match self.fault {
            Some(Fault::UpdateLooksAtTheEndBeforeItWaits) => {
                if self.found(&key).is_none() {
                    return Ok(Update::Ended);
                }
                let _lock = self.lock.lock().await;
                self.table().update(&key, changes, ttl, self.now())
            }
            Some(Fault::UpdateWritesTheWholeRecord) => self.write_back(&key, changes, ttl).await,
            Some(Fault::TouchWritesTheWholeRecord) if changes.is_empty() => {
                self.write_back(&key, changes, ttl).await
            }
            Some(Fault::UpdateTakesTwoSteps) => {
                let first = changes.sets().take(1);
                let first = first.fold(Changes::new(), |all, (n, v)| all.set(n, v.clone()));
                if self.table().update(&key, &first, None, self.now())? == Update::Ended {
                    return Ok(Update::Ended);
                }
                a_moment().await;
                self.table().update(&key, changes, ttl, self.now())
            }
            Some(Fault::ExpectationsAreCheckedFirst) => {
                let Some(loaded) = self.found(&key) else { return Ok(Update::Ended) };
                if !loaded.record.meets(changes) {
                    return Ok(Update::Conflict);
                }
                a_moment().await;
                let sets = changes.sets();
                let sets = sets.fold(Changes::new(), |all, (n, v)| all.set(n, v.clone()));
                self.table().update(&key, &sets, ttl, self.now())
            }
            _ => {
                let _lock = self.lock.lock().await;
                self.table().update(&key, changes, ttl, self.now())
            }
        }
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        let key = self.key(id);
        if let Err(error) = self.check_corrupt(&key) {
            if self.fault != Some(Fault::CorruptRecordsCannotBeDeleted) {
                self.table().delete(&key, self.now());
            }
            return Err(error);
        }
        match self.fault {
            Some(Fault::DeleteReadsThenRemoves) => {
                let read = self.found(&key);
                a_moment().await;
                self.table().delete(&key, self.now());
                Ok(read.map(|loaded| loaded.record))
            }
            Some(Fault::DeleteTakesTwoSteps) => {
                let Some(Loaded { record, .. }) = self.found(&key) else { return Ok(None) };
                let values = record.names().take(1).fold(Changes::new(), Changes::remove);
                let _ = self.table().update(&key, &values, None, self.now())?;
                a_moment().await;
                Ok(self.table().delete(&key, self.now()).and(Some(record)))
            }
            _ => Ok(self.table().delete(&key, self.now())),
        }
    }
}

impl Store {
    /// Writes the record as it was read, with the changes, where a sound store compares more. A sound store reads it
    /// again.
    fn update_read(
        &self,
        key: &str,
        read: &Read,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Option<Update> {
        let is_live = self.found(key).is_some();
        let is_same = self.table().writes(key) == read.writes;
        let writes = match self.fault? {
            Fault::VersionsAreUsedUp if !is_same => return Some(Update::Conflict),
            Fault::VersionsDecideExpectations if !read.loaded.record.meets(changes) => {
                return Some(Update::Conflict);
            }
            Fault::VersionsAreNotCompared => is_live,
            Fault::VersionsReviveDeletedRecords => true,
            Fault::VersionsStartAgain => is_live && is_same && read.loaded.record.meets(changes),
            Fault::VersionsMeetEveryExpectation => is_live && is_same,
            Fault::VersionsIgnoreTheEnd => is_same,
            _ => false,
        };
        let mut record = read.loaded.record.clone();
        record.apply(changes);
        let ttl = ttl.map_or(read.loaded.expires_in, Ttl::as_duration);
        writes.then(|| {
            self.table().put(key, &record, ttl, self.now());
            Update::Applied
        })
    }

    /// Reads, changes and writes, without regard for writes in between.
    async fn write_back(
        &self,
        key: &str,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        let Some(mut loaded) = self.found(key) else { return Ok(Update::Ended) };
        a_moment().await;
        loaded.record.apply(changes);
        let ttl = ttl.map_or(loaded.expires_in, Ttl::as_duration);
        self.table().put(key, &loaded.record, ttl, self.now());
        Ok(Update::Applied)
    }

    fn check_corrupt(&self, key: &str) -> Result<(), Error> {
        if self.fault != Some(Fault::CorruptRecordsAreEmpty) && self.table().is_corrupt(key) {
            return Err(Error::new(ErrorKind::Corrupt, "the record cannot be read"));
        }
        Ok(())
    }

    fn found(&self, key: &str) -> Option<Loaded> {
        self.table().load(key, self.now())
    }

    fn key(&self, id: &SessionId) -> String {
        let (namespace, id) = (&self.namespace, id.expose());
        match self.fault {
            Some(Fault::KeysLackTheNamespace) => id,
            Some(Fault::KeysAreCutShort) => format!("{namespace}:{}", &id[..8]),
            _ => format!("{namespace}:{id}"),
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap()
    }

    fn now(&self) -> Duration {
        self.clock.elapsed()
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({:?})", self.fault)
    }
}

/// Long enough that another task runs in between, even on a busy machine with one processor.
async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

fn owned<T: Clone>((name, value): (&str, &T)) -> (String, T) {
    (name.to_owned(), value.clone())
}
