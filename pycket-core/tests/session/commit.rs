use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pycket_core::{
    ErrorKind, Event, IdChange, MemoryStore, Outcome, SessionId, SessionManager, SessionStore,
};
use pycket_testkit::{Fault, FaultyStore, PausingStore};

use crate::{manager, open, over, stored};

#[tokio::test]
async fn client_that_stores_nothing_creates_no_record() {
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
async fn first_write_issues_an_id() {
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
async fn unknown_id_is_never_adopted() {
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
async fn change_keeps_and_renews_the_id() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.set("age", &30).unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
    assert_eq!(session.id_change(), IdChange::Renewed(id));
}

#[tokio::test]
async fn concurrent_changes_of_different_names_all_survive() {
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
async fn commit_to_an_ended_session_drops_changes_and_returns_ended() {
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
async fn of_two_commits_to_an_ended_session_only_the_first_returns_ended() {
    let manager = over(Arc::new(PausingStore::new(Arc::new(MemoryStore::new()))));
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.set("age", &30).unwrap();
    let logout = open(&manager, id).await;
    logout.destroy();
    logout.commit().await.unwrap();
    let (first, second) = tokio::join!(session.commit(), session.commit());
    assert_eq!([first.unwrap(), second.unwrap()], [Outcome::Ended, Outcome::Unchanged]);
}

#[tokio::test]
async fn failed_commit_keeps_the_changes_for_a_retry() {
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
async fn failed_load_opens_no_session() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let manager = over(store.clone());
    let id = stored(&manager).await;
    store.fail_nth(0, Fault::Before);
    assert_eq!(manager.open(Some(id)).await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn abort_stores_nothing() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.set("age", &30).unwrap();
    session.cycle_id();
    assert_eq!(session.abort().await.unwrap(), Outcome::Unchanged);
    assert_eq!(open(&manager, id).await.keys(), ["user"]);
}

#[tokio::test]
async fn commit_completes_when_its_caller_is_dropped() {
    let inner = Arc::new(MemoryStore::new());
    let manager = over(Arc::new(PausingStore::new(inner.clone())));
    let session = manager.open(None).await.unwrap();
    session.set("user", "ann").unwrap();
    {
        let mut commit = Box::pin(session.commit());
        let is_pending = is_pending_after_one_poll(commit.as_mut()).await;
        assert!(is_pending);
    }
    while session.id().is_none() {
        tokio::task::yield_now().await;
    }
    let id = session.id().unwrap();
    assert!(inner.load(&id).await.unwrap().is_some());
}

#[tokio::test]
async fn dropped_uncommitted_changes_emit_an_event() {
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

/// Polls once and returns whether the future is still pending.
async fn is_pending_after_one_poll<F: Future>(mut future: std::pin::Pin<&mut F>) -> bool {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(future.as_mut().poll(context).is_pending())
    })
    .await
}
