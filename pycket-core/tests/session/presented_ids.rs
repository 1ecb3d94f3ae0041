//! Clients that present more than one id.

use std::sync::Arc;

use pycket_core::{Event, IdChange, MemoryStore, Outcome, SessionId, SessionManager};
use pycket_testkit::{Calls, CountingStore, Fault, FaultyStore};

use crate::events::observed;
use crate::{manager, over, stored};

fn counted() -> (Arc<CountingStore>, SessionManager) {
    let store = Arc::new(CountingStore::new(Arc::new(MemoryStore::new())));
    (store.clone(), over(store))
}

#[tokio::test]
async fn first_live_session_of_four_ids_is_opened() {
    let (store, manager) = counted();
    let live = stored(&manager).await;
    store.take();
    let mut ids = vec![live];
    for loads in 1..=4 {
        let session = manager.open_first_of(&ids).await.unwrap();
        assert_eq!(session.id(), Some(live), "{loads} ids");
        assert_eq!(store.take(), Calls { load: loads, ..Calls::default() });
        ids.insert(0, SessionId::generate());
    }
    assert!(manager.open_first_of(&ids).await.unwrap().is_new());
    assert_eq!(store.take(), Calls { load: 4, ..Calls::default() });
    assert!(manager.open_first_of(&[]).await.unwrap().is_new());
    assert_eq!(store.take(), Calls::default());
}

#[tokio::test]
async fn store_error_does_not_lead_to_the_next_id() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let manager = over(store.clone());
    let ids = [SessionId::generate(), stored(&manager).await, stored(&manager).await];
    for nth in 0..2 {
        store.fail_nth(nth, Fault::Before);
        assert!(manager.open_first_of(&ids).await.is_err(), "load {nth}");
        store.heal();
    }
}

#[tokio::test]
async fn session_not_found_is_emitted_only_if_no_presented_session_is_live() {
    let (manager, events) = observed(manager());
    let live = stored(&manager).await;
    events.take();
    manager.open_first_of(&[SessionId::generate(), live]).await.unwrap();
    assert_eq!(events.take(), []);
    manager.open_first_of(&[SessionId::generate(), SessionId::generate()]).await.unwrap();
    assert_eq!(events.take(), [Event::SessionNotFound]);
}

#[tokio::test]
async fn destroy_ends_every_presented_session_with_its_notifications() {
    let (store, manager) = counted();
    let mut ids = vec![SessionId::generate()];
    for _ in 0..6 {
        let session = manager.open(None).await.unwrap();
        session.notifications().set("info", "saved").unwrap();
        session.commit().await.unwrap();
        ids.extend(session.id());
    }
    store.take();
    let session = manager.open_first_of(&ids).await.unwrap();
    session.destroy();
    assert_eq!(session.commit().await.unwrap(), Outcome::Destroyed);
    assert_eq!(session.id_change(), IdChange::Withdrawn);
    assert_eq!(store.take(), Calls { load: 2, delete: 12, ..Calls::default() });
    for id in ids {
        assert!(manager.open(Some(id)).await.unwrap().is_new());
    }
}

#[tokio::test]
async fn id_that_is_presented_twice_is_deleted_once() {
    let (store, manager) = counted();
    let live = stored(&manager).await;
    store.take();
    let session = manager.open_first_of(&[live, live]).await.unwrap();
    session.destroy();
    session.commit().await.unwrap();
    assert_eq!(store.take(), Calls { load: 1, delete: 1, ..Calls::default() });
}

#[tokio::test]
async fn uncommitted_destroy_ends_the_other_presented_sessions_too() {
    let manager = manager();
    let ids = [stored(&manager).await, stored(&manager).await];
    let session = manager.open_first_of(&ids).await.unwrap();
    session.destroy();
    drop(session);
    for id in ids {
        while !manager.open(Some(id)).await.unwrap().is_new() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn commit_without_destroy_leaves_the_other_presented_sessions() {
    let manager = manager();
    let ids = [stored(&manager).await, stored(&manager).await];
    let session = manager.open_first_of(&ids).await.unwrap();
    session.cycle_id();
    session.commit().await.unwrap();
    assert_eq!(manager.open(ids.last().copied()).await.unwrap().keys(), ["user"]);
}
