mod shard;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{
    Changes, Clock, Creation, Error, ErrorKind, Loaded, Record, SessionId, SessionStore,
    SystemClock, Ttl, Update,
};
use shard::{Moment, Shard, Slot};

/// Enough that threads rarely wait for a lock. A power of two, so that a random byte selects all equally.
const SHARDS: usize = 64;

/// A store in the memory of the process, for one server, for development and for tests.
///
/// The records end with the process, and other processes do not see them. Each `create` removes at
/// most two expired records, and all if the store is full, so it needs no background task.
///
/// ```
/// use std::num::NonZeroUsize;
/// use pycket_core::MemoryStore;
///
/// let store = MemoryStore::builder().max_records(NonZeroUsize::new(1_000_000).unwrap()).build()?;
/// assert!(store.is_empty());
/// # Ok::<(), pycket_core::Error>(())
/// ```
#[doc(alias = "memstore")] // scs
pub struct MemoryStore {
    shards: Box<[Mutex<Shard>]>,
    clock: Arc<dyn Clock>,
    records: AtomicUsize,
    max_records: Option<NonZeroUsize>,
}

impl MemoryStore {
    /// An empty store without a limit on the number of records.
    pub fn new() -> Self {
        Self::with(None, Arc::new(SystemClock::new()))
    }

    /// A builder for a store with a limit or with another clock.
    pub fn builder() -> MemoryStoreBuilder {
        MemoryStoreBuilder::default()
    }

    fn with(max_records: Option<NonZeroUsize>, clock: Arc<dyn Clock>) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, clock, records: AtomicUsize::new(0), max_records }
    }

    /// The number of records, with the expired ones that are not removed yet.
    pub fn len(&self) -> usize {
        self.records.load(Ordering::Relaxed)
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, id: &SessionId) -> MutexGuard<'_, Shard> {
        let index = usize::from(id.spread()) % self.shards.len();
        #[expect(clippy::indexing_slicing, reason = "reduced modulo the length just above")]
        lock(&self.shards[index])
    }

    fn now(&self) -> Moment {
        Moment::new(self.clock.elapsed())
    }

    /// Counts one more record, unless the store is full. Returns whether it did.
    fn reserve(&self) -> bool {
        let limit = self.max_records.map_or(usize::MAX, NonZeroUsize::get);
        self.records
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < limit).then_some(n + 1))
            .is_ok()
    }

    fn release(&self, records: usize) {
        self.records.fetch_sub(records, Ordering::Relaxed);
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        if !self.reserve() {
            for shard in &self.shards {
                self.release(lock(shard).purge(self.now(), usize::MAX));
            }
            if !self.reserve() {
                return Err(Error::new(
                    ErrorKind::Full,
                    "the memory store has reached its maximum number of records; raise `max_records`",
                ));
            }
        }
        let mut shard = self.shard(id);
        let now = self.now();
        // Two for each new one, so that few expired ones remain and no single `create` takes long.
        let mut freed = shard.purge(now, 2);
        let taken = shard.live(id, now).is_some();
        if taken {
            freed += 1;
        } else {
            freed += usize::from(shard.remove(id).is_some());
            shard.insert(*id, Slot::new(record.clone(), now.after(ttl.as_duration())));
        }
        drop(shard);
        self.release(freed);
        Ok(if taken { Creation::Taken } else { Creation::Created })
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        // The clock is read under the lock, so that time never runs backwards for a record.
        let mut shard = self.shard(id);
        let now = self.now();
        Ok(shard
            .live(id, now)
            .map(|slot| Loaded::new(slot.record.clone(), slot.expires_at.since(now))))
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        let mut shard = self.shard(id);
        let now = self.now();
        let Some(slot) = shard.live(id, now) else {
            return Ok(Update::Ended);
        };
        if !slot.record.meets(changes) {
            return Ok(Update::Conflict);
        }
        slot.record.apply(changes);
        if let Some(ttl) = ttl {
            shard.reschedule(id, now.after(ttl.as_duration()));
        }
        Ok(Update::Applied)
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        let mut shard = self.shard(id);
        let now = self.now();
        let Some(slot) = shard.remove(id) else {
            return Ok(None);
        };
        drop(shard);
        self.release(1);
        Ok((slot.expires_at > now).then_some(slot.record))
    }
}

/// Collects the settings of a [`MemoryStore`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct MemoryStoreBuilder {
    max_records: Option<NonZeroUsize>,
    clock: Option<Arc<dyn Clock>>,
}

impl MemoryStoreBuilder {
    /// The maximum number of live records. By default there is none, because the right number depends on
    /// the machine. In a full store `create` fails with [`ErrorKind::Full`]. A live record is never removed.
    pub fn max_records(mut self, max_records: NonZeroUsize) -> Self {
        self.max_records = Some(max_records);
        self
    }

    /// The clock by which records expire. By default it is [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Builds the store.
    ///
    /// # Errors
    ///
    /// None now. A later version may have settings that can be invalid.
    pub fn build(self) -> Result<MemoryStore, Error> {
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
        Ok(MemoryStore::with(self.max_records, clock))
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("records", &self.len())
            .field("max_records", &self.max_records)
            .finish_non_exhaustive()
    }
}

/// No code panics while it holds the lock, so the data of a poisoned lock are valid.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
