//! Dropped calls: the work of the call completes, or it has not begun.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use pycket_core::{IdChange, MemoryStore, Outcome, SessionManager, SessionStore};
use pycket_testkit::PausingStore;

use crate::{open, over, stored};

fn pausing() -> (Arc<MemoryStore>, SessionManager) {
    let inner = Arc::new(MemoryStore::new());
    (inner.clone(), over(Arc::new(PausingStore::new(inner))))
}

/// Polls `work` up to its n-th store call, which does not happen, and drops it.
fn drop_before_call(n: usize, work: impl Future) {
    let mut work = Box::pin(work);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..=n {
        assert!(Pin::new(&mut work).poll(&mut context).is_pending());
    }
}

#[tokio::test]
async fn abort_during_a_rotation_waits_and_reports_the_new_id() {
    let (_, manager) = pausing();
    let session = open(&manager, stored(&manager).await).await;
    session.cycle_id();
    drop_before_call(1, session.commit());

    session.abort().await.unwrap();
    let IdChange::Issued(new) = session.id_change() else {
        panic!("the client has an id that has ended")
    };
    assert!(!open(&manager, new).await.is_new());
}

#[tokio::test]
async fn destroy_completes_when_the_update_after_it_is_dropped() {
    let (inner, manager) = pausing();
    let session = open(&manager, stored(&manager).await).await;
    session.destroy();
    drop_before_call(0, session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1));
    session.abort().await.unwrap();
    assert!(inner.is_empty());
    assert_eq!(session.id_change(), IdChange::Withdrawn);
}

#[tokio::test]
async fn rotation_completes_when_the_update_after_it_is_dropped() {
    let (inner, manager) = pausing();
    for call in 0..2 {
        let old = stored(&manager).await;
        let session = open(&manager, old).await;
        session.cycle_id();
        drop_before_call(call, session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1));
        session.commit().await.unwrap();
        let IdChange::Issued(new) = session.id_change() else { panic!("call {call}") };
        assert!(inner.load(&old).await.unwrap().is_none());
        assert!(inner.load(&new).await.unwrap().is_some());
    }
}

/// A response that does not wait for it could leave before its end.
#[tokio::test]
async fn session_whose_update_is_not_over_needs_a_commit() {
    let (_, manager) = pausing();
    let session = open(&manager, stored(&manager).await).await;
    let mut update = Box::pin(session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1));
    assert!(update.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(session.needs_commit());
    update.await.unwrap();
    assert!(!session.needs_commit());
}

#[tokio::test]
async fn dropped_first_update_keeps_the_other_changes() {
    let (_, manager) = pausing();
    let session = manager.open(None).await.unwrap();
    session.set("draft", &1).unwrap();
    drop_before_call(0, session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1));
    session.commit().await.unwrap();
    assert!(open(&manager, session.id().unwrap()).await.contains("draft"));
}

/// Without a runtime, a dropped commit cannot run to its end.
#[test]
fn dropped_commit_outside_a_runtime_can_be_repeated() {
    let (inner, manager) = pausing();
    let block_on = |work: Pin<Box<dyn Future<Output = ()>>>| {
        let mut work = work;
        let mut context = Context::from_waker(Waker::noop());
        while work.as_mut().poll(&mut context).is_pending() {}
    };
    block_on(Box::pin(async move {
        let session = manager.open(None).await.unwrap();
        session.set("draft", &1).unwrap();
        drop_before_call(0, session.commit());
        assert_eq!(session.commit().await.unwrap(), Outcome::Created);
        assert_eq!(session.keys(), ["draft"]);

        session.destroy();
        drop_before_call(0, session.commit());
        assert_eq!(session.commit().await.unwrap(), Outcome::Destroyed);
        assert!(inner.is_empty());
    }));
}
