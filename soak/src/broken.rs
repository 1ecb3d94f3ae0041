//! Known bugs, put back on purpose: each shows that the oracle can fail.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use clap::ValueEnum;
use pycket_core::{Changes, Creation, Error, Loaded, Record, SessionId, SessionStore, Ttl, Update};
use tokio::time::sleep;

use crate::app::count_failed;

/// A bug of the store. The library is the same in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Broken {
    /// An `update` of a session that has ended stores it again.
    ResurrectingUpdate,
    /// One of fifty updates is confirmed and not stored.
    LostWrite,
    /// Two `delete`s of a notification at the same time may both return it.
    DoubledNotification,
    /// An update that only removes is confirmed although a value is not as expected: `end_all` misses a session
    /// that changes its id.
    EndAllMissesRotation,
}

impl Broken {
    /// The finding that the bug must lead to.
    pub(crate) fn finding(self) -> &'static str {
        match self {
            Self::ResurrectingUpdate | Self::EndAllMissesRotation => "resurrected",
            Self::LostWrite => "lost write",
            Self::DoubledNotification => "doubled notification",
        }
    }
}

/// A store that counts failed calls, with a bug or without.
#[derive(Debug)]
pub(crate) struct Wrapped {
    store: Arc<dyn SessionStore>,
    is_local: bool,
    broken: Option<Broken>,
    updates: AtomicUsize,
    /// What was loaded last, for a bug that stores it again.
    seen: Mutex<HashMap<SessionId, Record>>,
}

impl Wrapped {
    /// `is_local` says that the store is in this process.
    pub(crate) fn new(
        store: Arc<dyn SessionStore>,
        is_local: bool,
        broken: Option<Broken>,
    ) -> Self {
        Self { store, is_local, broken, updates: AtomicUsize::new(1), seen: Mutex::default() }
    }

    fn is(&self, broken: Broken) -> bool {
        self.broken == Some(broken)
    }

    /// Takes as long as a network, so that requests meet, and not always as long, so that they overtake each other.
    async fn travel(&self) {
        if self.is_local {
            sleep(Duration::from_millis(fastrand::u64(..4))).await;
        }
    }
}

fn is_notification(record: &Record) -> bool {
    record.get("note").is_some()
}

fn counted<T>(result: Result<T, Error>) -> Result<T, Error> {
    result.inspect_err(count_failed)
}

#[async_trait]
impl SessionStore for Wrapped {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        self.travel().await;
        counted(self.store.create(id, record, ttl).await)
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        self.travel().await;
        let loaded = counted(self.store.load(id).await)?;
        if self.is(Broken::ResurrectingUpdate)
            && let Some(loaded) = &loaded
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(*id, loaded.record.clone());
        }
        Ok(loaded)
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        self.travel().await;
        if self.is(Broken::LostWrite)
            && self.updates.fetch_add(1, Ordering::Relaxed).is_multiple_of(50)
        {
            return Ok(Update::Applied);
        }
        let update = counted(self.store.update(id, changes, ttl).await)?;
        let is_removal = changes.sets().next().is_none() && changes.removals().next().is_some();
        if self.is(Broken::EndAllMissesRotation) && update == Update::Conflict && is_removal {
            return Ok(Update::Applied);
        }
        if self.is(Broken::ResurrectingUpdate)
            && update == Update::Ended
            && let Some(ttl) = ttl
        {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
            if let Some(mut record) = seen {
                record.apply(changes);
                let _ = self.store.create(id, &record, ttl).await?;
                return Ok(Update::Applied);
            }
        }
        Ok(update)
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        self.travel().await;
        if self.is(Broken::DoubledNotification) {
            let loaded = self.load(id).await?.map(|loaded| loaded.record);
            self.travel().await;
            let deleted = counted(self.store.delete(id).await)?;
            return Ok(loaded.filter(is_notification).or(deleted));
        }
        counted(self.store.delete(id).await)
    }
}
