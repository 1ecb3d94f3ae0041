use std::sync::Arc;

use pycket_core::{Changes, Creation, Error, Loaded, Record, SessionId, SessionStore, Ttl, Update};
use tokio::task::yield_now;

/// A store that pauses once before each call. A test that polls the callers itself decides in which order
/// their calls happen; see [`every_order`](crate::every_order).
#[derive(Debug)]
pub struct PausingStore {
    inner: Arc<dyn SessionStore>,
}

impl PausingStore {
    /// Pauses before each call of `inner`.
    pub fn new(inner: Arc<dyn SessionStore>) -> Self {
        Self { inner }
    }

    async fn around<T>(&self, _method: &str, call: impl Future<Output = T>) -> T {
        yield_now().await;
        call.await
    }
}

super::impl_session_store!(PausingStore);
