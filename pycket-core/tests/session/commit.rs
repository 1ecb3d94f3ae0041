use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pycket_core::{
    ErrorKind, Event, IdChange, MemoryStore, Outcome, SessionId, SessionManager, SessionStore,
};
use pycket_testkit::{Fault, FaultyStore, PausingStore};

use crate::{manager, open, over, stored};

#[tokio::test]
async fn a_visitor_who_stores_nothing_leaves_nothing() {
    let store = Arc::new(MemoryStore::new());
    let session = over(store.clone()).open(None).await.unwrap();
    session.delete(["user"]);
    session.set("draft", &1).unwrap();
    session.delete(["draft"]);
    session.cycle_id();
    session.set_idle_timeout(std::time::Duration::from_secs(1)).unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Unchanged);
    assert_eq!(session.id_change(), IdChange::Unchanged);
    assert!(store.is_empty());
}

#[tokio::test]
async fn the_first_write_issues_an_id() {
    let manager = manager();
    let session = manager.open(None).await.unwrap();
    assert_eq!((session.id(), session.is_new()), (None, true));
    session.set("user", "ann").unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Created);
    let id = session.id().unwrap();
    assert_eq!(session.id_change(), IdChange::Issued(id));
    assert!(!session.is_new() && !session.is_changed());
}

#[tokio::test]
async fn an_id_that_no_store_knows_is_never_adopted() {
    let manager = manager();
    let unknown = SessionId::generate();
    let session = open(&manager, unknown).await;
    assert!(session.is_new());
    assert_eq!(session.commit().await.unwrap(), Outcome::Unchanged);
    assert_eq!(session.id_change(), IdChange::Unchanged);
    session.set("user", "ann").unwrap();
    session.commit().await.unwrap();
    assert_ne!(session.id().unwrap(), unknown);
}

#[tokio::test]
async fn a_change_keeps_the_id_and_renews_it() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.set("age", &30).unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
    assert_eq!(session.id_change(), IdChange::Renewed(id));
}

#[tokio::test]
async fn changes_of_concurrent_requests_to_different_names_all_survive() {
    let manager = manager();
    let id = stored(&manager).await;
    let (one, two) = (open(&manager, id).await, open(&manager, id).await);
    one.set("a", &1).unwrap();
    two.set("b", &2).unwrap();
    two.delete(["user"]);
    one.commit().await.unwrap();
    two.commit().await.unwrap();
    assert_eq!(open(&manager, id).await.keys(), ["a", "b"]);
}

#[tokio::test]
async fn changes_to_a_session_that_ended_are_dropped_and_the_outcome_says_so() {
    let manager = manager();
    let id = stored(&manager).await;
    let late = open(&manager, id).await;
    late.set("age", &30).unwrap();
    let logout = open(&manager, id).await;
    logout.destroy();
    logout.commit().await.unwrap();

    assert_eq!(late.commit().await.unwrap(), Outcome::Ended);
    assert_eq!(late.id_change(), IdChange::Unchanged);
    assert!(late.is_empty() && !late.is_changed());
    late.set("again", &1).unwrap();
    assert_eq!(late.commit().await.unwrap(), Outcome::Ended);
    assert!(open(&manager, id).await.is_new());
}

#[tokio::test]
async fn a_failed_commit_keeps_the_changes_for_another_try() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let manager = over(store.clone());
    let session = manager.open(None).await.unwrap();
    session.set("user", "ann").unwrap();
    store.take_down();
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(session.is_changed());
    assert_eq!(session.id_change(), IdChange::Unchanged);
    store.heal();
    assert_eq!(session.commit().await.unwrap(), Outcome::Created);
    assert_eq!(open(&manager, session.id().unwrap()).await.keys(), ["user"]);
}

#[tokio::test]
async fn a_session_that_could_not_be_loaded_does_not_exist() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let manager = over(store.clone());
    let id = stored(&manager).await;
    store.fail_nth(0, Fault::Before);
    assert_eq!(manager.open(Some(id)).await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn an_aborted_request_stores_nothing() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.set("age", &30).unwrap();
    session.cycle_id();
    assert_eq!(session.abort().await.unwrap(), Outcome::Unchanged);
    assert_eq!(open(&manager, id).await.keys(), ["user"]);
}

#[tokio::test]
async fn a_commit_runs_to_its_end_though_its_caller_is_dropped() {
    let inner = Arc::new(MemoryStore::new());
    let manager = over(Arc::new(PausingStore::new(inner.clone())));
    let session = manager.open(None).await.unwrap();
    session.set("user", "ann").unwrap();
    {
        let mut commit = Box::pin(session.commit());
        let is_pending = futures_poll_once(commit.as_mut()).await;
        assert!(is_pending);
    }
    while session.id().is_none() {
        tokio::task::yield_now().await;
    }
    let id = session.id().unwrap();
    assert!(inner.load(&id).await.unwrap().is_some());
}

#[tokio::test]
async fn changes_that_nobody_committed_are_reported() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let counter = dropped.clone();
    let manager = SessionManager::new(Arc::new(MemoryStore::new())).on_event(move |event| {
        counter.fetch_add(usize::from(event == Event::ChangesDropped), Ordering::SeqCst);
    });
    let session = manager.open(None).await.unwrap();
    session.set("user", "ann").unwrap();
    session.commit().await.unwrap();
    session.set("user", "bob").unwrap();
    drop(session);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
}

/// Polls once; whether it is still pending.
async fn futures_poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> bool {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(future.as_mut().poll(context).is_pending())
    })
    .await
}
