//! Several handles of one session in one request, at the same time.

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

/// Polls once; the result, if there is one.
fn step<T>(work: &mut std::pin::Pin<Box<impl Future<Output = T>>>) -> Option<T> {
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

#[tokio::test]
async fn the_names_to_delete_may_come_from_an_iterator_that_asks_the_session() {
    let session = open(&manager(), stored(&manager()).await).await;
    session.set("n", &1).unwrap();
    session.set("m", &2).unwrap();
    let odd = |name: &String| session.require::<u32>(name).unwrap() % 2 == 1;
    assert_eq!(session.delete(session.keys().into_iter().filter(odd)), ["n"]);
}

#[tokio::test]
async fn an_update_that_finds_the_session_gone_takes_nothing_from_the_one_begun_after_a_destroy() {
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
async fn a_first_update_that_fails_brings_nothing_back_from_before_a_destroy() {
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
async fn a_first_update_that_fails_takes_nothing_from_what_was_set_since() {
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
