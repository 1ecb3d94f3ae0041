use std::sync::Arc;

use async_trait::async_trait;
use pycket_core::{Changes, Creation, Error, Loaded, Record, SessionId, SessionStore, Ttl, Update};

/// A store whose every call pauses once before it happens, so that whoever polls its callers decides in
/// which order their calls happen. See [`every_order`](crate::every_order).
#[derive(Debug)]
pub struct PausingStore {
    inner: Arc<dyn SessionStore>,
}

impl PausingStore {
    /// Pauses before each call of `inner`.
    pub fn new(inner: Arc<dyn SessionStore>) -> Self {
        Self { inner }
    }
}

/// Pending once, then ready.
async fn pause() {
    let mut paused = false;
    std::future::poll_fn(|context| {
        if paused {
            return std::task::Poll::Ready(());
        }
        paused = true;
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

#[async_trait]
impl SessionStore for PausingStore {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        pause().await;
        self.inner.create(id, record, ttl).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        pause().await;
        self.inner.load(id).await
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        pause().await;
        self.inner.update(id, changes, ttl).await
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        pause().await;
        self.inner.delete(id).await
    }
}
