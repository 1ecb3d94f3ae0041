use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use pycket_core::{Changes, Creation, Error, Loaded, Record, SessionId, SessionStore, Ttl, Update};

/// A store that counts the calls it passes on.
#[derive(Debug)]
pub struct CountingStore {
    inner: Arc<dyn SessionStore>,
    counts: [AtomicUsize; 4],
}

/// How often each method was called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Calls of `create`.
    pub create: usize,
    /// Calls of `load`.
    pub load: usize,
    /// Calls of `update`.
    pub update: usize,
    /// Calls of `delete`.
    pub delete: usize,
}

impl CountingStore {
    /// Counts the calls of `inner`.
    pub fn new(inner: Arc<dyn SessionStore>) -> Self {
        Self { inner, counts: Default::default() }
    }

    /// The calls since this was last asked.
    pub fn take(&self) -> Calls {
        let [create, load, update, delete] =
            self.counts.each_ref().map(|count| count.swap(0, Ordering::SeqCst));
        Calls { create, load, update, delete }
    }

    fn count(&self, method: usize) {
        self.counts[method].fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl SessionStore for CountingStore {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        self.count(0);
        self.inner.create(id, record, ttl).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        self.count(1);
        self.inner.load(id).await
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        self.count(2);
        self.inner.update(id, changes, ttl).await
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        self.count(3);
        self.inner.delete(id).await
    }
}
