//! How long the index of a user gets, and what many sessions cost.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use pycket_core::{
    Changes, Clock, Creation, Error, Expiry, Loaded, MemoryStore, Record, SessionId,
    SessionManager, SessionStore, Ttl, Update,
};
use pycket_testkit::{CountingStore, ManualClock, PausingStore};

use crate::watched::Watched;
use crate::{DAY, handles, is_live, over, signed_in};

/// The number of sessions that the only index lists, or `None` if there is no index.
async fn listed(store: &Watched) -> Option<usize> {
    let mut found = None;
    for id in store.indexes() {
        if let Some(loaded) = store.load(&id).await.unwrap() {
            let names = loaded.record.names();
            let listed = names.filter(|name| name.starts_with("session:")).count();
            assert_eq!(found.replace(listed), None, "two indexes");
        }
    }
    found
}

fn manager(store: &Arc<Watched>, clock: &ManualClock) -> SessionManager {
    let expiry = Expiry::builder().idle_timeout(DAY).build().unwrap();
    over(store.clone()).to_builder().clock(clock.clone()).expiry(expiry).build().unwrap()
}

#[tokio::test]
async fn ten_thousand_sign_ins_leave_a_short_index_and_then_none() {
    // At most so many sessions are live at once.
    for live in [1_u32, 5, 50] {
        let clock = ManualClock::new();
        let store = Arc::new(Watched::new(&clock));
        let manager = manager(&store, &clock);
        for turn in 0..10_000 / 3 {
            signed_in(&manager, "ann").await;
            let now_live = usize::try_from(live.min(turn + 1)).unwrap();
            let listed = listed(&store).await.unwrap();
            assert!(listed <= 2 * now_live + 8, "{listed} listed, {now_live} live");
            clock.advance(DAY / live);
        }
        clock.advance(DAY);
        assert!(handles(&manager, "ann").await.is_empty());
        // A record may be live for a moment.
        clock.advance(Duration::from_secs(1));
        assert_eq!(listed(&store).await, None);
    }
}

#[tokio::test]
async fn a_sign_in_removes_ended_sessions_if_they_outnumber_the_live_ones() {
    let clock = ManualClock::new();
    let store = Arc::new(Watched::new(&clock));
    let manager = manager(&store, &clock);
    for _ in 0..3 {
        let long = manager.open(None).await.unwrap();
        long.log_in("ann").unwrap();
        long.set_idle_timeout(30 * DAY).unwrap();
        long.commit().await.unwrap();
    }
    for _ in 0..20 {
        signed_in(&manager, "ann").await;
    }
    clock.advance(DAY + Duration::from_secs(1));
    signed_in(&manager, "ann").await;
    assert_eq!(listed(&store).await, Some(4));
}

#[tokio::test]
async fn the_index_ends_without_any_call_after_the_last_session() {
    let clock = ManualClock::new();
    let store = Arc::new(Watched::new(&clock));
    let manager = manager(&store, &clock);
    signed_in(&manager, "ann").await;
    clock.advance(DAY + DAY / 4 + Duration::from_secs(1));
    assert_eq!(listed(&store).await, None);
}

#[tokio::test]
async fn a_user_with_the_default_limit_of_two_hundred_loses_the_oldest_session() {
    let manager = SessionManager::new(MemoryStore::new());
    let mut sessions = Vec::new();
    for _ in 0..201 {
        sessions.push(signed_in(&manager, "ann").await);
    }
    assert_eq!(handles(&manager, "ann").await.len(), 200);
    assert!(!is_live(&manager, &sessions[0]).await && is_live(&manager, &sessions[1]).await);
}

/// Counts how many calls are under way at once.
#[derive(Debug)]
struct Crowd {
    store: Arc<dyn SessionStore>,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Crowd {
    async fn count<T>(&self, call: impl Future<Output = T>) -> T {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
        let result = call.await;
        self.now.fetch_sub(1, Ordering::Relaxed);
        result
    }
}

#[async_trait]
impl SessionStore for Crowd {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        self.count(self.store.create(id, record, ttl)).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        self.count(self.store.load(id)).await
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        self.count(self.store.update(id, changes, ttl)).await
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        self.count(self.store.delete(id)).await
    }
}

#[tokio::test]
async fn a_thousand_sessions_cost_one_call_each_and_sixteen_at_once() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new());
    let counting = Arc::new(CountingStore::new(Arc::new(MemoryStore::new())));
    let store = Arc::new(PausingStore::new(counting.clone()));
    let crowd = Arc::new(Crowd { store, now: AtomicUsize::new(0), most: AtomicUsize::new(0) });
    let limit = NonZeroUsize::new(1000).unwrap();
    let builder = over(crowd.clone()).to_builder().clock(clock).max_sessions_per_user(limit);
    let manager = builder.build().unwrap();
    for _ in 0..1000 {
        signed_in(&manager, "ann").await;
    }
    counting.take();
    assert_eq!(handles(&manager, "ann").await.len(), 1000);
    assert_eq!(counting.take().load, 1001);
    assert_eq!(manager.user("ann").unwrap().end_all().await.unwrap(), 1000);
    let calls = counting.take();
    assert_eq!((calls.load, calls.delete, calls.update), (1, 1000, 1));
    assert_eq!(crowd.most.load(Ordering::Relaxed), 16);
}
