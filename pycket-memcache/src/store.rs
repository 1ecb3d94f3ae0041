use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pycket_core::{
    Changes, Clock, Creation, Error, ErrorKind, KeySpace, Loaded, Record, SessionId, SessionStore,
    Ttl, Update,
};

use crate::MemcacheStoreBuilder;
use crate::client::Swap;
use crate::error::partly;
use crate::format::{self, Stored};
use crate::lifetime::{self, Life};
use crate::servers::Servers;
use crate::slot::Slot;

/// So many touches add their end to an item; the next one writes it anew.
const MOST_ENDS: usize = 16;

/// Sessions in memcached, version 1.6.12 or later, on one server or several.
///
/// Make one for the process and share it: it holds the connections. It connects on first use and
/// reconnects by itself. Reading and creating are one round trip, changing and deleting two.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use pycket_core::SessionManager;
/// use pycket_memcache::MemcacheStore;
///
/// let store = MemcacheStore::builder()
///     .servers(["cache1:11211", "cache2:11211"])
///     .prefix("shop:")
///     .response_timeout(Duration::from_millis(300))
///     .build()?;
/// let manager = SessionManager::new(Arc::new(store));
/// # Ok::<(), pycket_core::Error>(())
/// ```
pub struct MemcacheStore {
    servers: Servers,
    keys: KeySpace,
    clock: Arc<dyn Clock>,
}

/// A live record, and what it takes to replace it.
struct Found {
    record: Record,
    left: Duration,
    /// In milliseconds since 1970.
    end: u64,
    ends: usize,
    cas: u64,
}

impl MemcacheStore {
    /// Settings for the server at `localhost:11211`, to be changed.
    pub fn builder() -> MemcacheStoreBuilder {
        MemcacheStoreBuilder::new()
    }

    pub(crate) fn new(servers: Servers, keys: KeySpace, clock: Arc<dyn Clock>) -> Self {
        Self { servers, keys, clock }
    }

    fn slot<'s>(&'s self, id: &'s SessionId) -> Result<Slot<'s>, Error> {
        Slot::new(&self.servers, &self.keys, id)
    }

    fn life(&self, ttl: Ttl) -> Life {
        Life::new(self.clock.now(), ttl)
    }

    /// The live record. One that is out of time is removed before anybody hears that it is gone, so that
    /// no write that was on its way can revive it.
    async fn find(&self, slot: &Slot<'_>) -> Result<Option<Found>, Error> {
        loop {
            let Some(item) = slot.get().await? else {
                return Ok(None);
            };
            let Stored { record, end, ends } = format::decode(&item.bytes)?;
            let now = self.clock.now();
            let left = lifetime::left(end, now, item.seconds_left);
            if !left.is_zero() {
                let end = now.unix_millis().saturating_add(millis(left));
                return Ok(Some(Found { record, left, end, ends, cas: item.cas }));
            }
            if slot.bury(item.cas).await? != Swap::Changed {
                return Ok(None);
            }
        }
    }

    /// Gives the record a new life, without its content if nobody else writes it at this moment.
    async fn touch(&self, slot: &Slot<'_>, ttl: Ttl) -> Result<Update, Error> {
        let Some(found) = self.find(slot).await? else {
            return Ok(Update::Ended);
        };
        let nothing = Changes::new();
        if found.ends >= MOST_ENDS {
            return self.rewrite(slot, &nothing, Some(ttl)).await;
        }
        match slot.renew(self.life(ttl), found.cas).await? {
            Swap::Done => Ok(Update::Applied),
            // The server may have renewed the life of what is there now.
            Swap::Changed | Swap::Missing => {
                self.rewrite(slot, &nothing, Some(ttl)).await.map_err(partly)
            }
        }
    }

    async fn rewrite(
        &self,
        slot: &Slot<'_>,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        let mut race = slot.race();
        loop {
            let Some(Found { mut record, end, cas, .. }) = self.find(slot).await? else {
                return Ok(Update::Ended);
            };
            if !record.meets(changes) {
                return Ok(Update::Conflict);
            }
            if changes.is_empty() && ttl.is_none() {
                return Ok(Update::Applied);
            }
            record.apply(changes);
            let life = match ttl {
                Some(ttl) => self.life(ttl),
                None => Life::until(end, self.clock.now()),
            };
            match slot.replace(&record, life, cas).await? {
                Swap::Done => return Ok(Update::Applied),
                Swap::Missing => return Ok(Update::Ended),
                Swap::Changed => race.lost().await?,
            }
        }
    }

    /// Whoever asks for the end of a session gets it, even if it cannot be shown what ended. What never
    /// was a session is left alone.
    async fn remove_unreadable(&self, slot: &Slot<'_>) -> Result<(), Error> {
        if let Some(item) = slot.get().await?
            && format::is_recognisable(&item.bytes)
            && format::decode(&item.bytes).is_err()
        {
            let _: Swap = slot.delete(item.cas).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl SessionStore for MemcacheStore {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        let slot = self.slot(id)?;
        let mut race = slot.race();
        loop {
            if slot.add(record, self.life(ttl)).await? == Swap::Done {
                return Ok(Creation::Created);
            }
            match self.find(&slot).await {
                Ok(None) => race.lost().await?,
                Ok(Some(_)) => return Ok(Creation::Taken),
                Err(error) if error.kind() == ErrorKind::Corrupt => return Ok(Creation::Taken),
                Err(error) => return Err(error),
            }
        }
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        let found = self.find(&self.slot(id)?).await?;
        Ok(found.map(|found| Loaded::new(found.record, found.left)))
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        let slot = self.slot(id)?;
        match ttl {
            // What depends on the content has to happen in one step with the look at it.
            Some(ttl) if changes.is_empty() && changes.expectations().len() == 0 => {
                self.touch(&slot, ttl).await
            }
            _ => self.rewrite(&slot, changes, ttl).await,
        }
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        let slot = self.slot(id)?;
        let mut race = slot.race();
        loop {
            let found = match self.find(&slot).await {
                Err(error) if error.kind() == ErrorKind::Corrupt => {
                    self.remove_unreadable(&slot).await?;
                    return Err(error);
                }
                found => found?,
            };
            let Some(found) = found else {
                return Ok(None);
            };
            match slot.delete(found.cas).await? {
                Swap::Done => return Ok(Some(found.record)),
                Swap::Missing => return Ok(None),
                Swap::Changed => race.lost().await?,
            }
        }
    }
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}

impl fmt::Debug for MemcacheStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemcacheStore")
            .field("servers", &self.servers)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}
