//! The table of store calls per request: see "Round trips" in the README.

use std::sync::Arc;
use std::time::Duration;

use pycket_core::{Clock, Expiry, MemoryStore, Renew, SessionId, SessionManager};
use pycket_testkit::{Calls, CountingStore, ManualClock};

use crate::{open, over, stored};

async fn counted() -> (Arc<CountingStore>, SessionManager, SessionId) {
    let store = Arc::new(CountingStore::new(Arc::new(MemoryStore::new())));
    let manager = over(store.clone());
    let id = stored(&manager).await;
    store.take();
    (store, manager, id)
}

#[tokio::test]
async fn a_visitor_without_a_session_who_stores_nothing_costs_no_call() {
    let (store, manager, _) = counted().await;
    let session = manager.open(None).await.unwrap();
    session.get::<u8>("user").unwrap();
    session.commit().await.unwrap();
    assert_eq!(store.take(), Calls::default());
}

#[tokio::test]
async fn a_read_costs_one_load() {
    let (store, manager, id) = counted().await;
    let session = open(&manager, id).await;
    session.get::<String>("user").unwrap();
    session.commit().await.unwrap();
    assert_eq!(store.take(), Calls { load: 1, ..Calls::default() });
}

#[tokio::test]
async fn the_first_write_of_a_visitor_costs_one_create() {
    let (store, manager, _) = counted().await;
    stored(&manager).await;
    assert_eq!(store.take(), Calls { create: 1, ..Calls::default() });
}

#[tokio::test]
async fn a_write_costs_a_load_and_an_update() {
    let (store, manager, id) = counted().await;
    let session = open(&manager, id).await;
    session.set("age", &30).unwrap();
    session.commit().await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(store.take(), Calls { load: 1, update: 1, ..Calls::default() });
}

#[tokio::test]
async fn setting_what_is_already_there_costs_no_more_than_a_read() {
    let (store, manager, id) = counted().await;
    let session = open(&manager, id).await;
    session.set("user", "bob").unwrap();
    session.set("user", "ann").unwrap();
    session.delete(["nothing"]);
    session.commit().await.unwrap();
    assert_eq!(store.take(), Calls { load: 1, ..Calls::default() });
}

#[tokio::test]
async fn a_login_costs_a_load_a_create_and_a_delete() {
    let (store, manager, id) = counted().await;
    let session = open(&manager, id).await;
    session.cycle_id();
    session.set("user", "bob").unwrap();
    session.commit().await.unwrap();
    assert_eq!(store.take(), Calls { load: 1, create: 1, delete: 1, ..Calls::default() });
}

#[tokio::test]
async fn a_logout_costs_a_load_and_a_delete() {
    let (store, manager, id) = counted().await;
    let session = open(&manager, id).await;
    session.destroy();
    session.commit().await.unwrap();
    assert_eq!(store.take(), Calls { load: 1, delete: 1, ..Calls::default() });
}

#[tokio::test]
async fn reading_with_renewal_writes_at_most_ten_times_per_idle_timeout() {
    let clock = ManualClock::new();
    let clock_of_all: Arc<dyn Clock> = Arc::new(clock.clone());
    let memory = MemoryStore::builder().clock(clock_of_all.clone()).build().unwrap();
    let store = Arc::new(CountingStore::new(Arc::new(memory)));
    let expiry = Expiry::builder()
        .idle_timeout(Duration::from_secs(1000))
        .renew(Renew::OnAccess)
        .build()
        .unwrap();
    let manager =
        over(store.clone()).to_builder().expiry(expiry).clock(clock_of_all).build().unwrap();
    let id = stored(&manager).await;
    store.take();

    for _ in 0..1000 {
        clock.advance(Duration::from_secs(1));
        let session = open(&manager, id).await;
        assert!(session.contains("user"));
        session.commit().await.unwrap();
    }
    assert_eq!(store.take(), Calls { load: 1000, update: 10, ..Calls::default() });
}

/// Calls to the store of the notifications alone, and what they cost the sessions besides.
#[tokio::test]
async fn notifications_cost_nothing_until_they_are_used_and_one_call_where_an_id_ends() {
    let (sessions, manager, id) = counted().await;
    let notices = Arc::new(CountingStore::new(Arc::new(MemoryStore::new())));
    let manager = manager.to_builder().notifications(notices.clone()).build().unwrap();
    let none = Calls::default();
    let leave = async || {
        let session = open(&manager, id).await;
        session.notifications().set("info", "saved").unwrap();
        session.commit().await.unwrap();
        (sessions.take(), notices.take())
    };
    let renewed = Calls { load: 1, update: 1, ..none };
    assert_eq!(leave().await, (renewed, Calls { update: 1, create: 1, ..none }));
    assert_eq!(leave().await, (renewed, Calls { update: 1, ..none }));

    let session = open(&manager, id).await;
    session.set("age", &30).unwrap();
    session.notifications().set("info", "saved").unwrap();
    session.commit().await.unwrap();
    assert_eq!((sessions.take(), notices.take()), (renewed, Calls { update: 1, ..none }));

    let session = open(&manager, id).await;
    assert!(session.notifications().get::<String>("info").await.unwrap().is_some());
    assert!(session.notifications().get::<String>("info").await.unwrap().is_none());
    assert_eq!((sessions.take().load, notices.take()), (1, Calls { load: 1, update: 1, ..none }));

    session.cycle_id();
    session.commit().await.unwrap();
    assert_eq!(sessions.take(), Calls { create: 1, delete: 1, ..none });
    let emptied = Calls { load: 1, delete: 1, ..none };
    assert_eq!(notices.take(), emptied);
    session.cycle_id();
    session.commit().await.unwrap();
    sessions.take();
    assert_eq!(notices.take(), Calls { load: 1, ..none });
    session.notifications().set("info", "saved").unwrap();
    session.commit().await.unwrap();
    session.cycle_id();
    sessions.take();
    notices.take();
    session.commit().await.unwrap();
    assert_eq!(sessions.take(), Calls { create: 1, delete: 1, ..none });
    assert_eq!(notices.take(), Calls { load: 1, delete: 1, create: 1, ..none });
    session.destroy();
    session.commit().await.unwrap();
    assert_eq!(sessions.take(), Calls { delete: 1, ..none });
    assert_eq!(notices.take(), Calls { delete: 1, ..none });

    let visitor = manager.open(None).await.unwrap();
    visitor.notifications().set("info", "welcome").unwrap();
    visitor.commit().await.unwrap();
    let create = Calls { create: 1, ..none };
    assert_eq!((sessions.take(), notices.take()), (create, create));
}
