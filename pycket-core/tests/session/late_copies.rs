//! Calls whose replies are lost and that reach the store later.

use std::sync::{Arc, Mutex};

use pycket_core::{
    Changes, Creation, Error, ErrorKind, Loaded, MemoryStore, Outcome, Record, SessionId,
    SessionManager, SessionStore, Ttl, Update,
};
use pycket_testkit::{Fault, FaultyStore, PausingStore, Task, every_order};

use crate::{now, open, over, stored};

/// A store whose next create is delayed: the caller gets `Ambiguous`, and the call happens when the test says.
#[derive(Debug, Default)]
struct Delaying {
    inner: MemoryStore,
    is_delaying: Mutex<bool>,
    delayed: Mutex<Vec<(SessionId, Record, Ttl)>>,
}

impl Delaying {
    fn delay_the_next_create(&self) {
        *self.is_delaying.lock().unwrap() = true;
    }

    /// Makes the delayed call, and returns its id.
    async fn arrive(&self) -> SessionId {
        let (id, record, ttl) = self.delayed.lock().unwrap().pop().unwrap();
        assert_eq!(self.inner.create(&id, &record, ttl).await.unwrap(), Creation::Created);
        id
    }
}

#[async_trait::async_trait]
impl SessionStore for Delaying {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        if std::mem::take(&mut *self.is_delaying.lock().unwrap()) {
            self.delayed.lock().unwrap().push((*id, record.clone(), ttl));
            return Err(Error::new(ErrorKind::Ambiguous, "no reply in time"));
        }
        self.inner.create(id, record, ttl).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        self.inner.load(id).await
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        self.inner.update(id, changes, ttl).await
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        self.inner.delete(id).await
    }
}

async fn sign_out(manager: &SessionManager, id: SessionId) {
    let logout = open(manager, id).await;
    logout.destroy();
    assert_eq!(logout.commit().await.unwrap(), Outcome::Destroyed);
}

#[tokio::test]
async fn late_first_copy_of_a_create_revives_nothing() {
    let store = Arc::new(Delaying::default());
    let manager = over(store.clone());
    store.delay_the_next_create();
    let id = stored(&manager).await;
    sign_out(&manager, id).await;
    assert_ne!(store.arrive().await, id);
    assert!(open(&manager, id).await.is_new());
}

#[tokio::test]
async fn late_first_copy_of_a_rotation_revives_nothing() {
    let store = Arc::new(Delaying::default());
    let manager = over(store.clone());
    let before = stored(&manager).await;
    let session = open(&manager, before).await;
    session.cycle_id();
    store.delay_the_next_create();
    assert_eq!(session.commit().await.unwrap(), Outcome::Rotated);
    let after = session.id().unwrap();
    sign_out(&manager, after).await;
    let late = store.arrive().await;
    assert!(late != before && late != after);
    for id in [before, after] {
        assert!(open(&manager, id).await.is_new());
    }
}

#[tokio::test]
async fn late_first_copy_of_a_notification_is_not_read_twice() {
    let store = Arc::new(Delaying::default());
    let manager = over(store.clone());
    let session = open(&manager, stored(&manager).await).await;
    session.notifications().set("info", "saved").unwrap();
    store.delay_the_next_create();
    // Reported, or repeated under another id.
    if session.commit().await.is_err() {
        session.commit().await.unwrap();
    }
    let next = open(&manager, session.id().unwrap()).await;
    assert_eq!(next.notifications().get::<String>("info").await.unwrap().unwrap(), "saved");
    next.commit().await.unwrap();
    store.arrive().await;
    let last = open(&manager, session.id().unwrap()).await;
    assert_eq!(last.notifications().get::<String>("info").await.unwrap(), None);
}

fn increment(n: Option<u32>) -> u32 {
    n.unwrap_or(0) + 1
}

/// One client sets `n` to 10 and increments it, with a lost reply; another increments it.
#[test]
fn set_then_update_with_a_lost_reply_keeps_anothers_increment() {
    for fault in [Fault::Lost, Fault::After] {
        for call in 0..4 {
            let setup = || {
                let inner = Arc::new(MemoryStore::new());
                let id = now(stored(&over(inner.clone())));
                let faulty = Arc::new(FaultyStore::new(inner.clone()));
                let session = now(open(&over(Arc::new(PausingStore::new(faulty.clone()))), id));
                let other = now(open(&over(Arc::new(PausingStore::new(inner.clone()))), id));
                faulty.fail_nth(call, fault);
                let acknowledged = [(); 2].map(|()| Arc::new(Mutex::new(0)));
                (inner, id, [session, other], acknowledged)
            };
            every_order(
                setup,
                |(_, _, [session, other], [ours, theirs])| {
                    let (session, other) = (session.clone(), other.clone());
                    let (ours, theirs) = (ours.clone(), theirs.clone());
                    let first: Task = Box::pin(async move {
                        session.set("n", &10).unwrap();
                        let result = session.update("n", increment).await;
                        *ours.lock().unwrap() = result.unwrap_or(0);
                    });
                    let second: Task = Box::pin(async move {
                        let result = other.update("n", increment).await;
                        *theirs.lock().unwrap() = result.unwrap_or(0);
                    });
                    vec![first, second]
                },
                |(inner, id, _, acknowledged)| {
                    let session = now(open(&over(inner.clone()), *id));
                    let n = session.get::<u32>("n").unwrap().unwrap_or(0);
                    let [ours, theirs] = acknowledged.each_ref().map(|n| *n.lock().unwrap());
                    let what = format!("{fault:?} of call {call}: {n}");
                    assert!(n >= ours, "{what}: our {ours} is lost");
                    // An increment below 10 came before our value, which replaces it.
                    assert!(theirs <= 10 || n >= theirs, "{what}: their {theirs} is lost");
                    assert!(ours == 0 || theirs <= 10 || ours != theirs, "{what}: counted once");
                },
            );
        }
    }
}
