//! Concurrent calls on several handles of one session in one request.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use pycket_core::{ErrorKind, IdChange, MemoryStore, SessionManager, SessionStore};
use pycket_testkit::{Fault, FaultyStore, PausingStore};

use crate::{manager, open, over, stored};

fn pausing() -> (Arc<MemoryStore>, SessionManager) {
    let inner = Arc::new(MemoryStore::new());
    (inner.clone(), over(Arc::new(PausingStore::new(inner))))
}

fn increment(n: Option<u32>) -> u32 {
    n.unwrap_or(0) + 1
}

/// Polls once and returns the result, if it is ready.
fn step<T>(work: &mut std::pin::Pin<Box<impl Future<Output = T>>>) -> Option<T> {
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

#[tokio::test]
async fn delete_accepts_an_iterator_that_reads_the_session() {
    let session = open(&manager(), stored(&manager()).await).await;
    session.set("n", &1).unwrap();
    session.set("m", &2).unwrap();
    let odd = |name: &String| session.require::<u32>(name).unwrap() % 2 == 1;
    assert_eq!(session.delete(session.keys().into_iter().filter(odd)), ["n"]);
}

#[tokio::test]
async fn update_that_returns_ended_keeps_the_session_begun_after_destroy() {
    let (inner, manager) = pausing();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    let mut update = Box::pin(session.update("n", increment));
    assert!(step(&mut update).is_none());

    session.destroy();
    session.set("theme", "dark").unwrap();
    inner.delete(&id).await.unwrap();
    assert_eq!(step(&mut update).unwrap().unwrap_err().kind(), ErrorKind::Ended);

    assert_eq!(session.id_change(), IdChange::Withdrawn);
    session.commit().await.unwrap();
    assert_eq!(open(&manager, session.id().unwrap()).await.keys(), ["theme"]);
}

#[tokio::test]
async fn failed_first_update_restores_nothing_after_a_destroy() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let manager = over(Arc::new(PausingStore::new(store.clone())));
    let session = manager.open(None).await.unwrap();
    session.set("n", &7).unwrap();
    store.fail_nth(0, Fault::Before);
    let mut update = Box::pin(session.update("n", increment));
    assert!(step(&mut update).is_none());

    session.destroy();
    assert!(step(&mut update).unwrap().is_err());
    assert_eq!(session.get::<u32>("n").unwrap(), None);
}

#[tokio::test]
async fn failed_first_update_keeps_a_value_set_in_the_meantime() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let manager = over(Arc::new(PausingStore::new(store.clone())));
    let session = manager.open(None).await.unwrap();
    store.fail_nth(0, Fault::Before);
    let mut update = Box::pin(session.update("n", increment));
    assert!(step(&mut update).is_none());

    session.set("n", &50).unwrap();
    assert!(step(&mut update).unwrap().is_err());
    assert_eq!(session.require::<u32>("n").unwrap(), 50);
}

#[tokio::test]
async fn value_set_while_an_update_runs_is_stored_by_the_next_commit() {
    let (_, manager) = pausing();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    let mut update = Box::pin(session.update("n", increment));
    assert!(step(&mut update).is_none());
    session.set("theme", "dark").unwrap();
    assert_eq!(step(&mut update).unwrap().unwrap(), 1);
    session.commit().await.unwrap();
    assert_eq!(open(&manager, id).await.keys(), ["n", "theme", "user"]);
}

#[tokio::test]
async fn value_set_while_an_update_commits_earlier_changes_is_stored_later() {
    let (_, manager) = pausing();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.set("draft", &1).unwrap();
    let mut update = Box::pin(session.update("n", increment));
    assert!(step(&mut update).is_none(), "the commit of the draft");
    session.set("theme", "dark").unwrap();
    assert!(step(&mut update).is_none(), "the update itself");
    assert_eq!(step(&mut update).unwrap().unwrap(), 1);
    session.commit().await.unwrap();
    assert_eq!(open(&manager, id).await.keys(), ["draft", "n", "theme", "user"]);
}

#[tokio::test]
async fn values_changed_back_while_a_commit_runs_are_stored_by_the_next_one() {
    let (_, manager) = pausing();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.set("user", "bob").unwrap();
    session.set("draft", &1).unwrap();
    let mut commit = Box::pin(session.commit());
    assert!(step(&mut commit).is_none());
    session.set("user", "ann").unwrap();
    session.delete(["draft"]);
    step(&mut commit).unwrap().unwrap();
    assert_eq!(session.keys(), ["user"]);
    session.commit().await.unwrap();
    let later = open(&manager, id).await;
    assert_eq!(
        (later.keys(), later.require::<String>("user").unwrap()),
        (vec!["user".to_owned()], "ann".to_owned())
    );
}
