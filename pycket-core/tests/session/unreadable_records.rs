//! Records that the store cannot read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pycket_core::{
    Changes, Creation, Error, ErrorKind, IdChange, Loaded, MemoryStore, Outcome, Record, SessionId,
    SessionStore, Ttl, Update,
};

use crate::{over, stored};

/// A store that can read nothing. Its `delete` removes a record and has nothing to return, as that of the
/// drivers.
#[derive(Debug, Default)]
struct Unreadable {
    inner: MemoryStore,
    deletes: AtomicUsize,
}

fn corrupt<T>() -> Result<T, Error> {
    Err(Error::new(ErrorKind::Corrupt, "the record is of an unknown version"))
}

#[async_trait::async_trait]
impl SessionStore for Unreadable {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        self.inner.create(id, record, ttl).await
    }

    async fn load(&self, _: &SessionId) -> Result<Option<Loaded>, Error> {
        corrupt()
    }

    async fn update(&self, _: &SessionId, _: &Changes, _: Option<Ttl>) -> Result<Update, Error> {
        corrupt()
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        self.deletes.fetch_add(1, Ordering::Relaxed);
        match self.inner.delete(id).await? {
            Some(_) => corrupt(),
            None => Ok(None),
        }
    }
}

#[tokio::test]
async fn session_that_cannot_be_loaded_is_destroyed_without_loading() {
    let store = Arc::new(Unreadable::default());
    let manager = over(store.clone());
    let ids = vec![stored(&manager).await, stored(&manager).await];
    assert_eq!(manager.open_first_of(&ids).await.unwrap_err().kind(), ErrorKind::Corrupt);

    let session = manager.without_loading(ids);
    assert!(session.is_new() && !session.needs_commit());
    session.destroy();
    assert_eq!(session.commit().await.unwrap(), Outcome::Destroyed);
    assert_eq!(session.id_change(), IdChange::Withdrawn);
    assert!(store.inner.is_empty());
}

#[tokio::test]
async fn session_without_loading_and_without_ids_withdraws_nothing() {
    let store = Arc::new(Unreadable::default());
    let session = over(store.clone()).without_loading(Vec::new());
    session.destroy();
    assert_eq!(session.commit().await.unwrap(), Outcome::Unchanged);
    assert_eq!(session.id_change(), IdChange::Unchanged);
    assert_eq!(store.deletes.load(Ordering::Relaxed), 0);
}
