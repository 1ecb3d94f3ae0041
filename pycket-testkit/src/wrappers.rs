mod counting;
mod faulty;
mod pausing;

pub use counting::{Calls, CountingStore};
pub use faulty::{Fault, FaultyStore};
pub use pausing::PausingStore;

/// Implements `SessionStore` for a type with a field `inner`. Its method `around(method, call)` decides what
/// happens to each call of the inner store.
macro_rules! impl_session_store {
    ($store:ty) => {
        #[async_trait::async_trait]
        impl SessionStore for $store {
            async fn create(
                &self,
                id: &SessionId,
                record: &Record,
                ttl: Ttl,
            ) -> Result<Creation, Error> {
                self.around("create", self.inner.create(id, record, ttl)).await
            }

            async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
                self.around("load", self.inner.load(id)).await
            }

            async fn update(
                &self,
                id: &SessionId,
                changes: &Changes,
                ttl: Option<Ttl>,
            ) -> Result<Update, Error> {
                self.around("update", self.inner.update(id, changes, ttl)).await
            }

            async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
                self.around("delete", self.inner.delete(id)).await
            }
        }
    };
}

pub(crate) use impl_session_store;
