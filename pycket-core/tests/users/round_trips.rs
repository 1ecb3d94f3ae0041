//! The store calls of requests with users: see "Round trips" in the README.

use std::num::NonZeroUsize;
use std::sync::Arc;

use pycket_core::{Expiry, MemoryStore, SessionId, SessionManager, SessionManagerBuilder};
use pycket_testkit::{Calls, CountingStore, ManualClock};

use crate::{DAY, at, handles, open, over, signed_in};

const NONE: Calls = Calls { create: 0, load: 0, update: 0, delete: 0 };
const READ: Calls = Calls { load: 1, ..NONE };

struct Site {
    store: Arc<CountingStore>,
    manager: SessionManager,
}

impl Site {
    fn new() -> Self {
        Self::with(|builder| builder)
    }

    fn with(set: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder) -> Self {
        let store = Arc::new(CountingStore::new(Arc::new(MemoryStore::new())));
        let manager = set(over(store.clone()).to_builder()).build().unwrap();
        Self { store, manager }
    }

    async fn signed_in(&self, user_id: &str) -> Option<SessionId> {
        let id = signed_in(&self.manager, user_id).await.id();
        self.store.take();
        id
    }

    /// The calls of a request with this id that does `work`.
    async fn calls(
        &self,
        id: Option<SessionId>,
        work: impl AsyncFnOnce(&pycket_core::Session),
    ) -> Calls {
        let session = self.manager.open(id).await.unwrap();
        work(&session).await;
        session.commit().await.unwrap();
        self.store.take()
    }
}

#[tokio::test]
async fn reads_and_writes_of_a_user_cost_no_call_more() {
    let site = Site::new();
    let id = site.signed_in("ann").await;
    let read = async |session: &pycket_core::Session| {
        assert_eq!(session.user_id().as_deref(), Some("ann"));
        assert!(session.user_sessions().is_some());
    };
    assert_eq!(site.calls(id, read).await, READ);
    let write = async |session: &pycket_core::Session| session.set("cart", &3).unwrap();
    assert_eq!(site.calls(id, write).await, Calls { update: 1, ..READ });
    let update = async |session: &pycket_core::Session| {
        session.update("n", |n: Option<u8>| n.unwrap_or(0) + 1).await.unwrap();
    };
    assert_eq!(site.calls(id, update).await, Calls { update: 1, ..READ });
}

#[tokio::test]
async fn a_sign_in_costs_a_load_and_a_write_of_the_index_more() {
    let site = Site::new();
    let log_in = async |session: &pycket_core::Session| session.log_in("ann").unwrap();
    // The first sign-in creates the session and the index.
    assert_eq!(site.calls(None, log_in).await, Calls { create: 2, load: 1, ..NONE });
    assert_eq!(site.calls(None, log_in).await, Calls { create: 1, load: 1, update: 1, ..NONE });

    let session = site.manager.open(None).await.unwrap();
    session.set("cart", &3).unwrap();
    session.commit().await.unwrap();
    site.store.take();
    let rotated = Calls { create: 1, load: 2, update: 1, delete: 1 };
    assert_eq!(site.calls(session.id(), log_in).await, rotated);
    let id = site.signed_in("ann").await;
    assert_eq!(site.calls(id, log_in).await, rotated);
}

#[tokio::test]
async fn a_change_of_the_user_also_costs_an_update_of_the_old_index() {
    let site = Site::new();
    site.signed_in("ann").await;
    let id = site.signed_in("bob").await;
    let log_in = async |session: &pycket_core::Session| session.log_in("ann").unwrap();
    let expected = Calls { create: 1, load: 2, update: 2, delete: 1 };
    assert_eq!(site.calls(id, log_in).await, expected);
}

#[tokio::test]
async fn a_rotation_costs_an_update_of_the_index_more() {
    let site = Site::new();
    let id = site.signed_in("ann").await;
    let rotate = async |session: &pycket_core::Session| session.cycle_id();
    let expected = Calls { create: 1, load: 1, update: 1, delete: 1 };
    assert_eq!(site.calls(id, rotate).await, expected);
}

#[tokio::test]
async fn every_eighth_rotation_deletes_the_earlier_ids_once_more() {
    let site = Site::new();
    let session = signed_in(&site.manager, "ann").await;
    site.store.take();
    let mut deletes = Vec::new();
    for _ in 0..16 {
        session.cycle_id();
        session.commit().await.unwrap();
        let calls = site.store.take();
        assert_eq!((calls.create, calls.load, calls.update), (1, 0, 1));
        deletes.push(calls.delete);
    }
    assert_eq!(deletes, [1, 1, 1, 1, 1, 1, 1, 8, 1, 1, 1, 1, 1, 1, 8, 1]);
}

#[tokio::test]
async fn a_sign_out_costs_an_update_of_the_index_more() {
    let site = Site::new();
    let id = site.signed_in("ann").await;
    let sign_out = async |session: &pycket_core::Session| session.destroy();
    let expected = Calls { load: 1, update: 1, delete: 1, ..NONE };
    assert_eq!(site.calls(id, sign_out).await, expected);

    // And a delete for each id that the session had.
    let session = signed_in(&site.manager, "ann").await;
    session.cycle_id();
    session.commit().await.unwrap();
    site.store.take();
    let expected = Calls { load: 1, update: 1, delete: 2, ..NONE };
    assert_eq!(site.calls(session.id(), sign_out).await, expected);
}

#[tokio::test]
async fn each_session_that_the_limit_ends_costs_a_delete_and_one_update_more() {
    let site = Site::with(|builder| builder.max_sessions_per_user(NonZeroUsize::MIN));
    site.signed_in("ann").await;
    let log_in = async |session: &pycket_core::Session| session.log_in("ann").unwrap();
    let expected = Calls { create: 1, load: 1, update: 2, delete: 1 };
    assert_eq!(site.calls(None, log_in).await, expected);
}

#[tokio::test]
async fn listing_costs_a_load_for_each_session_and_ending_a_delete() {
    let site = Site::new();
    for _ in 0..50 {
        site.signed_in("ann").await;
    }
    assert_eq!(handles(&site.manager, "ann").await.len(), 50);
    assert_eq!(site.store.take(), Calls { load: 51, ..NONE });
    let [first, ..] = handles(&site.manager, "ann").await[..] else { panic!() };
    site.store.take();
    site.manager.user("ann").unwrap().end(&first).await.unwrap();
    assert_eq!(site.store.take(), Calls { load: 1, update: 1, delete: 1, ..NONE });
    site.manager.user("ann").unwrap().end_all().await.unwrap();
    assert_eq!(site.store.take(), Calls { load: 1, update: 1, delete: 49, ..NONE });
}

#[tokio::test]
async fn the_check_of_the_index_costs_a_load_for_each_session_of_a_user() {
    let site = Site::with(|builder| builder.check_user_index(true));
    let id = site.signed_in("ann").await;
    let read = async |_: &pycket_core::Session| {};
    assert_eq!(site.calls(id, read).await, Calls { load: 2, ..NONE });
    let session = site.manager.open(None).await.unwrap();
    session.set("cart", &3).unwrap();
    session.commit().await.unwrap();
    site.store.take();
    assert_eq!(site.calls(session.id(), read).await, READ);
    assert!(!open(&site.manager, id).await.is_new());
}

/// The remembered session keeps the index while the others end.
#[tokio::test]
async fn a_sign_in_forgets_sessions_past_their_end() {
    let clock = ManualClock::new();
    let store = Arc::new(CountingStore::new(at(&clock).0));
    let manager = over(store.clone()).to_builder().clock(clock.clone());
    let expiry = Expiry::builder().idle_timeout(DAY).build().unwrap();
    let manager = manager.expiry(expiry).build().unwrap();
    let remembered = manager.open(None).await.unwrap();
    remembered.log_in("ann").unwrap();
    remembered.remember(30 * DAY, 60 * DAY).unwrap();
    remembered.commit().await.unwrap();
    for _ in 0..3 {
        signed_in(&manager, "ann").await;
    }
    clock.advance(9 * DAY);
    signed_in(&manager, "ann").await;
    store.take();
    assert_eq!(handles(&manager, "ann").await.len(), 2);
    assert_eq!(store.take(), Calls { load: 3, ..NONE });
}
