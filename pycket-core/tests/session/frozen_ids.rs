//! After the response has left, the id of the session cannot change.

use std::sync::Arc;

use pycket_core::{ErrorKind, IdChange, MemoryStore, Outcome, Session};
use pycket_testkit::{Calls, CountingStore};

use crate::{manager, open, over, stored};

async fn assert_too_late(session: &Session) {
    let error = session.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLate);
    assert!(!error.is_transient());
}

#[tokio::test]
async fn freeze_id_returns_what_the_cookie_has_to_say() {
    let manager = manager();
    let session = manager.open(None).await.unwrap();
    assert_eq!(session.freeze_id(), Some(IdChange::Unchanged));
    let session = manager.open(None).await.unwrap();
    session.set("user", "ann").unwrap();
    session.commit().await.unwrap();
    let id = session.id().unwrap();
    assert_eq!(session.freeze_id(), Some(IdChange::Issued(id)));
}

#[tokio::test]
async fn freeze_id_returns_nothing_while_a_commit_is_running() {
    let store = pycket_testkit::PausingStore::new(Arc::new(MemoryStore::new()));
    let session = over(Arc::new(store)).open(None).await.unwrap();
    session.set("user", "ann").unwrap();
    let mut commit = Box::pin(session.commit());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(commit.as_mut().poll(&mut context).is_pending());
    assert_eq!(session.freeze_id(), None);
    commit.await.unwrap();
    assert_eq!(session.freeze_id(), session.id().map(IdChange::Issued));
}

#[tokio::test]
async fn new_session_with_a_frozen_id_makes_no_store_call() {
    let store = Arc::new(CountingStore::new(Arc::new(MemoryStore::new())));
    let session = over(store.clone()).open(None).await.unwrap();
    session.freeze_id();
    session.set("user", "ann").unwrap();
    assert_too_late(&session).await;
    for _ in 0..2 {
        let update = session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await;
        assert_eq!(update.unwrap_err().kind(), ErrorKind::TooLate);
        session.abort().await.unwrap();
    }
    session.notifications().set("info", "saved").unwrap();
    assert_too_late(&session).await;
    assert_eq!(store.take(), Calls::default());
}

#[tokio::test]
async fn rotation_with_a_frozen_id_stores_nothing_until_it_is_dropped() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.freeze_id();
    session.set("role", "admin").unwrap();
    session.cycle_id();
    assert_too_late(&session).await;
    assert_too_late(&session).await;
    assert_eq!(open(&manager, id).await.keys(), ["user"]);
    session.abort().await.unwrap();
    session.set("age", &30).unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
    assert_eq!(open(&manager, id).await.keys(), ["age", "user"]);
}

#[tokio::test]
async fn destroy_with_a_frozen_id_ends_the_session_and_begins_no_other() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.freeze_id();
    session.destroy();
    session.set("theme", "dark").unwrap();
    assert_too_late(&session).await;
    assert!(open(&manager, id).await.is_new(), "the destroy was carried out");
}
