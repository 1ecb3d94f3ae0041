//! Which update gets the version of which load.

use std::mem;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pycket_core::{
    Changes, Creation, Error, Expiry, Loaded, MemoryStore, Outcome, Record, Renew, SessionId,
    SessionManager, SessionStore, Ttl, Update, Version,
};
use pycket_testkit::ManualClock;

use crate::{open, stored};

/// Numbers the loads, and notes which one each update names.
#[derive(Debug)]
struct Versioned {
    inner: MemoryStore,
    loads: AtomicU32,
    named: Mutex<Vec<Option<u32>>>,
}

#[async_trait::async_trait]
impl SessionStore for Versioned {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        self.inner.create(id, record, ttl).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        let number = self.loads.fetch_add(1, Ordering::Relaxed) + 1;
        let loaded = self.inner.load(id).await?;
        Ok(loaded.map(|loaded| loaded.with_version(Version::new(number))))
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        let number = changes.version().map(|version| *version.get().unwrap());
        self.named.lock().unwrap().push(number);
        self.inner.update(id, changes, ttl).await
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        self.inner.delete(id).await
    }
}

struct Fixture {
    store: Arc<Versioned>,
    manager: SessionManager,
    clock: ManualClock,
}

impl Fixture {
    fn new() -> Self {
        let clock = ManualClock::new();
        let inner = MemoryStore::builder().clock(clock.clone()).build().unwrap();
        let (loads, named) = Default::default();
        let store = Arc::new(Versioned { inner, loads, named });
        let expiry = Expiry::builder().renew(Renew::OnAccess).build().unwrap();
        let manager = SessionManager::builder(store.clone()).clock(clock.clone()).expiry(expiry);
        Self { store, manager: manager.build().unwrap(), clock }
    }

    /// The loads that the updates since the last call have named.
    fn named(&self) -> Vec<Option<u32>> {
        mem::take(&mut self.store.named.lock().unwrap())
    }
}

#[tokio::test]
async fn only_the_first_change_after_a_load_has_its_version() {
    let it = Fixture::new();
    let id = stored(&it.manager).await;
    let session = open(&it.manager, id).await;
    for age in [30, 31] {
        session.set("age", &age).unwrap();
        session.commit().await.unwrap();
    }
    assert_eq!(it.named(), [Some(1), None]);
    session.reload().await.unwrap();
    session.set("age", &32).unwrap();
    session.commit().await.unwrap();
    assert_eq!(it.named(), [Some(2)]);
}

#[tokio::test]
async fn renewal_has_the_version_of_the_load() {
    let it = Fixture::new();
    let id = stored(&it.manager).await;
    it.clock.advance(Duration::from_secs(20 * 60 * 60));
    assert_eq!(open(&it.manager, id).await.commit().await.unwrap(), Outcome::Touched);
    assert_eq!(it.named(), [Some(1)]);
}

#[tokio::test]
async fn atomic_change_that_came_second_has_the_version_of_its_second_load() {
    let it = Fixture::new();
    let id = stored(&it.manager).await;
    let [late, early] = [open(&it.manager, id).await, open(&it.manager, id).await];
    let add = |n: Option<u8>| n.unwrap_or(0) + 1;
    early.update("n", add).await.unwrap();
    late.update("n", add).await.unwrap();
    assert_eq!(it.named(), [Some(2), Some(1), Some(3)]);
    late.update("n", add).await.unwrap();
    assert_eq!(it.named(), [None]);
}

#[tokio::test]
async fn new_session_and_new_id_have_no_version() {
    let it = Fixture::new();
    let session = it.manager.open(None).await.unwrap();
    for step in 0..3_u8 {
        session.set("step", &step).unwrap();
        session.commit().await.unwrap();
    }
    assert_eq!(it.named(), [None, None]);
    let session = open(&it.manager, session.id().unwrap()).await;
    session.cycle_id();
    session.commit().await.unwrap();
    session.set("step", &3).unwrap();
    session.commit().await.unwrap();
    assert_eq!(it.named(), [None]);
}

#[tokio::test]
async fn sign_in_writes_the_index_with_the_version_of_its_load() {
    let it = Fixture::new();
    for loads in [None, Some(2)] {
        let session = it.manager.open(None).await.unwrap();
        session.log_in("ann").unwrap();
        session.commit().await.unwrap();
        assert_eq!(it.named(), loads.map(Some).as_slice());
    }
}

#[test]
fn versions_are_equal_if_they_are_of_the_same_load() {
    let [one, other] = [Version::new(7_u32), Version::new(7_u32)];
    assert_eq!(one, one.clone());
    assert_ne!(one, other);
    assert_eq!(one.get::<u32>(), Some(&7));
    assert_eq!(one.get::<u64>(), None);
}
