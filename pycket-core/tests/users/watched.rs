use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use pycket_core::{
    Changes, Creation, Error, Loaded, MemoryStore, Record, SessionId, SessionManager, SessionStore,
    Ttl, Update, UserSessionHandle,
};
use pycket_testkit::ManualClock;

use crate::now::now;
use crate::world::{checking, manager};

/// A store that knows all ids, and looks after each call whether a session that was ended is live and listed.
#[derive(Debug)]
pub(crate) struct Watched {
    store: Arc<MemoryStore>,
    manager: SessionManager,
    checking: SessionManager,
    /// The ids of all sessions.
    created: Mutex<Vec<SessionId>>,
    indexes: Mutex<Vec<SessionId>>,
    ended: Mutex<Option<UserSessionHandle>>,
    has_seen: Mutex<bool>,
}

impl Watched {
    pub(crate) fn new(clock: &ManualClock) -> Self {
        let store = Arc::new(MemoryStore::builder().clock(clock.clone()).build().unwrap());
        Self {
            manager: manager(store.clone(), clock),
            checking: checking(store.clone(), clock),
            store,
            created: Mutex::default(),
            indexes: Mutex::default(),
            ended: Mutex::default(),
            has_seen: Mutex::default(),
        }
    }

    pub(crate) fn created(&self) -> Vec<SessionId> {
        self.created.lock().unwrap().clone()
    }

    pub(crate) fn indexes(&self) -> Vec<SessionId> {
        self.indexes.lock().unwrap().clone()
    }

    /// Loses every index, like a server that runs out of memory.
    pub(crate) async fn evict(&self) {
        let indexes = self.indexes();
        assert!(!indexes.is_empty());
        for id in indexes {
            self.store.delete(&id).await.unwrap();
        }
    }

    /// From now on no session of this handle may be live and listed.
    pub(crate) fn watch_for(&self, handle: UserSessionHandle) {
        *self.ended.lock().unwrap() = Some(handle);
        self.look();
    }

    /// Whether a session that was ended was live and listed afterwards.
    pub(crate) fn has_seen_an_ended_one(&self) -> bool {
        *self.has_seen.lock().unwrap()
    }

    fn look(&self) {
        let Some(handle) = *self.ended.lock().unwrap() else { return };
        let opens = |manager: &SessionManager, id| {
            now(manager.open(Some(id))).unwrap().handle() == Some(handle)
        };
        // The index is only read for a session that is live.
        let is_live_and_listed = |id: &_| opens(&self.manager, *id) && opens(&self.checking, *id);
        *self.has_seen.lock().unwrap() |=
            self.created.lock().unwrap().iter().any(is_live_and_listed);
    }
}

#[async_trait]
impl SessionStore for Watched {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        let is_index = record.names().any(|name| name == "\0pycket:index");
        let ids = if is_index { &self.indexes } else { &self.created };
        ids.lock().unwrap().push(*id);
        let created = self.store.create(id, record, ttl).await;
        self.look();
        created
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        self.store.load(id).await
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        let updated = self.store.update(id, changes, ttl).await;
        self.look();
        updated
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        let deleted = self.store.delete(id).await;
        self.look();
        deleted
    }
}
