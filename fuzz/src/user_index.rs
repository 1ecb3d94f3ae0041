//! A record that a store returns as the list of a user's sessions.
//!
//! Whatever is in it, a user who signs in is listed or the sign-in fails, and `end_all` ends the session.

use std::sync::Mutex;

use async_trait::async_trait;
use pycket_core::{
    Changes, Creation, Error, ErrorKind, Loaded, MemoryStore, Record, SessionId, SessionManager,
    SessionStore, Ttl, Update,
};

use crate::parts::{StoppedClock, manager, run};

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let Ok(record) = Record::decode(bytes) else { return };
    let memory = MemoryStore::builder().clock(StoppedClock).build().unwrap();
    run(use_index(&manager(Planted { memory, record: Mutex::new(Some(record)) })));
}

async fn use_index(manager: &SessionManager) {
    let ann = manager.user("ann").unwrap();
    if let Err(error) = ann.sessions().await {
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
    let session = manager.open(None).await.unwrap();
    session.log_in("ann").unwrap();
    if let Err(error) = session.commit().await {
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        return;
    }
    let listed = ann.sessions().await.unwrap();
    assert!(listed.iter().any(|listed| Some(listed.handle) == session.handle()));
    assert!(ann.end_all().await.unwrap() >= 1);
    assert!(manager.open(session.id()).await.unwrap().is_new());
    assert!(ann.sessions().await.unwrap().is_empty());
}

/// A store that already has this record when it is first asked for the list of a user.
#[derive(Debug)]
struct Planted {
    memory: MemoryStore,
    record: Mutex<Option<Record>>,
}

impl Planted {
    async fn plant(&self, id: &SessionId) -> Result<&MemoryStore, Error> {
        let is_list = id.expose_bytes()[6] >> 4 == 8;
        let record = self.record.lock().unwrap().take_if(|_| is_list);
        if let Some(record) = record {
            let _ = self.memory.create(id, &record, Ttl::MAX).await?;
        }
        Ok(&self.memory)
    }
}

#[async_trait]
impl SessionStore for Planted {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        self.plant(id).await?.create(id, record, ttl).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        self.plant(id).await?.load(id).await
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        self.plant(id).await?.update(id, changes, ttl).await
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        self.plant(id).await?.delete(id).await
    }
}
