use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pycket_core::{
    Changes, Clock, Creation, Error, ErrorKind, KeySpace, Loaded, Record, SessionId, SessionStore,
    Ttl, Update, Version,
};

use crate::MemcacheStoreBuilder;
use crate::connection::{Write, Written};
use crate::error::ambiguous;
use crate::expiry::{self, ItemExpiry};
use crate::item::Item;
use crate::record::{self, Decoded};
use crate::retry::RetryLocks;
use crate::servers::Servers;

/// Maximum number of appended expiries before the item is rewritten.
const MAX_EXPIRIES: usize = 16;

/// Sessions in memcached, version 1.6.13 or later, on one server or several.
///
/// Build one store for the process and share it, because it holds the connections. It connects on first use and
/// reconnects by itself. Reading and creating take one round trip, and deleting two. The first change after a load
/// takes one, or three if another client changed the session in between; each later one takes two.
///
/// ```
/// use std::time::Duration;
/// use pycket_core::SessionManager;
/// use pycket_memcache::MemcacheStore;
///
/// let store = MemcacheStore::builder()
///     .servers(["cache1:11211", "cache2:11211"])
///     .prefix("shop:")
///     .response_timeout(Duration::from_millis(300))
///     .build()?;
/// let manager = SessionManager::new(store);
/// # Ok::<(), pycket_core::Error>(())
/// ```
pub struct MemcacheStore {
    pub(crate) servers: Servers,
    pub(crate) keys: KeySpace,
    pub(crate) retry_locks: RetryLocks,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A live record, and what a change of it needs. The [`Version`] of this driver.
#[derive(Clone)]
struct Live {
    record: Record,
    remaining_millis: u64,
    /// In milliseconds since 1970.
    expires_at: u64,
    expiries: usize,
    cas: u64,
}

impl MemcacheStore {
    /// A builder that starts with the defaults: one server at `localhost:11211`.
    pub fn builder() -> MemcacheStoreBuilder {
        MemcacheStoreBuilder::default()
    }

    fn item<'s>(&'s self, id: &'s SessionId) -> Item<'s> {
        Item::new(&self.servers, &self.keys, id)
    }

    fn expiry(&self, ttl: Ttl) -> ItemExpiry {
        ItemExpiry::after(ttl, self.clock.now())
    }

    /// Reads the live record. Deletes an expired one before it reports `None`, so that no late write can revive
    /// it.
    async fn find(&self, item: &Item<'_>) -> Result<Option<Live>, Error> {
        loop {
            let Some(fetched) = item.get().await? else {
                return Ok(None);
            };
            let Decoded { record, expires_at, expiries } = record::decode(&fetched.bytes)?;
            let (now, cas) = (self.clock.now(), fetched.cas);
            let remaining_millis = expiry::remaining_millis(expires_at, now, fetched.seconds_left);
            if remaining_millis > 0 {
                let expires_at = now.unix_millis().saturating_add(remaining_millis);
                return Ok(Some(Live { record, remaining_millis, expires_at, expiries, cas }));
            }
            if item.delete_expired(cas).await? != Written::Changed {
                return Ok(None);
            }
        }
    }

    /// The record as it was when these changes were made, if it may still be in the store and they can be applied to it.
    fn loaded<'c>(&self, changes: &'c Changes) -> Option<&'c Live> {
        let live: &'c Live = changes.version()?.get()?;
        let is_live = expiry::remaining_millis(live.expires_at, self.clock.now(), None) > 0;
        (is_live && live.record.meets(changes)).then_some(live)
    }

    /// Renews the record without sending it, unless another writer changes it at the same time.
    async fn touch(&self, item: &Item<'_>, changes: &Changes, ttl: Ttl) -> Result<Update, Error> {
        let live = match self.loaded(changes) {
            Some(live) => Some(live.clone()),
            None => self.find(item).await?,
        };
        let Some(live) = live else {
            return Ok(Update::Ended);
        };
        if live.expiries >= MAX_EXPIRIES {
            return self.rewrite(item, changes, Some(ttl)).await;
        }
        let payload = record::encode_expiry(self.expiry(ttl));
        match item.write(Write::Extend(payload, live.cas)).await? {
            Written::Done => Ok(Update::Applied),
            // The server may have set the exptime of another item.
            Written::Changed | Written::Missing => {
                self.rewrite(item, &Changes::new(), Some(ttl)).await.map_err(ambiguous)
            }
        }
    }

    async fn rewrite(
        &self,
        item: &Item<'_>,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        if let Some(live) = self.loaded(changes) {
            match self.replace(item, live, changes, ttl).await? {
                Written::Done => return Ok(Update::Applied),
                Written::Missing => return Ok(Update::Ended),
                Written::Changed => {}
            }
        }
        let mut retries = self.retry_locks.budget(item.hash());
        loop {
            let Some(live) = self.find(item).await? else {
                return Ok(Update::Ended);
            };
            if !live.record.meets(changes) {
                return Ok(Update::Conflict);
            }
            if changes.is_empty() && ttl.is_none() {
                return Ok(Update::Applied);
            }
            match self.replace(item, &live, changes, ttl).await? {
                Written::Done => return Ok(Update::Applied),
                Written::Missing => return Ok(Update::Ended),
                Written::Changed => retries.wait().await?,
            }
        }
    }

    /// Writes the record with the changes, if the item is still the one that was read.
    async fn replace(
        &self,
        item: &Item<'_>,
        live: &Live,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Written, Error> {
        let mut record = live.record.clone();
        record.apply(changes);
        let expiry = match ttl {
            Some(ttl) => self.expiry(ttl),
            None => ItemExpiry::at(live.expires_at, self.clock.now()),
        };
        item.write(Write::Replace(record::encode(&record, expiry), live.cas)).await
    }

    /// Deletes a session that cannot be decoded, because ending a session must always work. Leaves everything
    /// else that may be under the key.
    async fn delete_corrupt(&self, item: &Item<'_>) -> Result<(), Error> {
        if let Some(fetched) = item.get().await?
            && record::looks_like_a_session(&fetched.bytes)
            && record::decode(&fetched.bytes).is_err()
        {
            let _: Written = item.write(Write::Delete(fetched.cas)).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl SessionStore for MemcacheStore {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        let item = self.item(id);
        let mut retries = self.retry_locks.budget(item.hash());
        loop {
            let payload = record::encode(record, self.expiry(ttl));
            if item.write(Write::Add(payload)).await? == Written::Done {
                return Ok(Creation::Created);
            }
            match self.find(&item).await {
                Ok(None) => retries.wait().await?,
                Ok(Some(_)) => return Ok(Creation::Taken),
                Err(error) if error.kind() == ErrorKind::Corrupt => return Ok(Creation::Taken),
                Err(error) => return Err(error),
            }
        }
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        let Some(live) = self.find(&self.item(id)).await? else {
            return Ok(None);
        };
        let remaining = Duration::from_millis(live.remaining_millis);
        Ok(Some(Loaded::new(live.record.clone(), remaining).with_version(Version::new(live))))
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        let item = self.item(id);
        match ttl {
            // An expectation needs one atomic step, and a touch sets the exptime before it compares.
            Some(ttl) if changes.is_empty() && changes.expectations().len() == 0 => {
                self.touch(&item, changes, ttl).await
            }
            _ => self.rewrite(&item, changes, ttl).await,
        }
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        let item = self.item(id);
        let mut retries = self.retry_locks.budget(item.hash());
        loop {
            let live = match self.find(&item).await {
                Err(error) if error.kind() == ErrorKind::Corrupt => {
                    self.delete_corrupt(&item).await?;
                    return Err(error);
                }
                live => live?,
            };
            let Some(live) = live else {
                return Ok(None);
            };
            match item.write(Write::Delete(live.cas)).await? {
                Written::Done => return Ok(Some(live.record)),
                Written::Missing => return Ok(None),
                Written::Changed => retries.wait().await?,
            }
        }
    }
}

impl fmt::Debug for MemcacheStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemcacheStore")
            .field("servers", &self.servers)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}
