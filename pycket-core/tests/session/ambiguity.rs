//! Lost replies: the session resolves them or returns `Ambiguous`.

use std::sync::Arc;

use pycket_core::{ErrorKind, MemoryStore, Outcome, SessionManager};
use pycket_testkit::{Fault, FaultyStore};

use crate::{open, over, stored};

fn faulty() -> (Arc<FaultyStore>, Arc<MemoryStore>, SessionManager) {
    let inner = Arc::new(MemoryStore::new());
    let store = Arc::new(FaultyStore::new(inner.clone()));
    (store.clone(), inner, over(store))
}

#[tokio::test]
async fn create_with_a_lost_reply_stores_exactly_one_session() {
    for fault in [Fault::Lost, Fault::After] {
        let (store, inner, manager) = faulty();
        let session = manager.open(None).await.unwrap();
        session.set("user", "ann").unwrap();
        store.fail_nth(0, fault);
        assert_eq!(session.commit().await.unwrap(), Outcome::Created);
        assert_eq!(inner.len(), 1);
        assert_eq!(open(&manager, session.id().unwrap()).await.keys(), ["user"]);
    }
}

#[tokio::test]
async fn update_with_a_lost_reply_is_stored_once() {
    for fault in [Fault::Lost, Fault::After] {
        let (store, _, manager) = faulty();
        let id = stored(&manager).await;
        let session = open(&manager, id).await;
        session.set("age", &30).unwrap();
        session.delete(["user"]);
        store.fail_nth(0, fault);
        assert_eq!(session.commit().await.unwrap(), Outcome::Updated, "{fault:?}");
        assert_eq!(open(&manager, id).await.keys(), ["age"]);
    }
}

#[tokio::test]
async fn lost_update_does_not_overwrite_another_writer() {
    let (store, _, manager) = faulty();
    let id = stored(&manager).await;
    let late = open(&manager, id).await;
    late.set("user", "late").unwrap();
    let other = open(&manager, id).await;
    other.set("user", "other").unwrap();
    other.commit().await.unwrap();

    store.fail_nth(0, Fault::Lost);
    assert_eq!(late.commit().await.unwrap_err().kind(), ErrorKind::Ambiguous);
    assert_eq!(open(&manager, id).await.require::<String>("user").unwrap(), "other");
}

#[tokio::test]
async fn update_of_an_ended_session_with_a_lost_reply_returns_ended() {
    let (store, _, manager) = faulty();
    let id = stored(&manager).await;
    let late = open(&manager, id).await;
    late.set("age", &30).unwrap();
    let logout = open(&manager, id).await;
    logout.destroy();
    logout.commit().await.unwrap();
    store.fail_nth(0, Fault::After);
    assert_eq!(late.commit().await.unwrap(), Outcome::Ended);
    assert!(open(&manager, id).await.is_new());
}

#[tokio::test]
async fn increment_with_a_lost_request_counts_once() {
    let (store, _, manager) = faulty();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    store.fail_nth(0, Fault::Lost);
    assert_eq!(session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await.unwrap(), 1);
    assert_eq!(open(&manager, id).await.require::<u32>("n").unwrap(), 1);
}

#[tokio::test]
async fn increment_with_a_lost_reply_is_ambiguous_and_counts_once() {
    let (store, _, manager) = faulty();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    store.fail_nth(0, Fault::After);
    let error = session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    assert_eq!(open(&manager, id).await.require::<u32>("n").unwrap(), 1);
}

#[tokio::test]
async fn create_that_may_have_succeeded_is_ambiguous() {
    let (store, _, manager) = faulty();
    let session = manager.open(None).await.unwrap();
    session.set("user", "ann").unwrap();
    store.fail_nth(0, Fault::After);
    store.fail_nth(1, Fault::Before);
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::Ambiguous);
}
