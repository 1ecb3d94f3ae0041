use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use pycket_core::{
    ErrorKind, Event, IdChange, MemoryStore, Outcome, Session, SessionId, SessionManager,
};
use pycket_testkit::{Fault, FaultyStore};
use tokio::runtime::{Builder, Runtime};

use crate::events::{Events, observed};
use crate::{manager, now, open, over, stored};

#[tokio::test]
async fn destroy_deletes_the_record_and_withdraws_the_id() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.destroy();
    assert!(session.is_empty() && session.is_new());
    assert_eq!(session.commit().await.unwrap(), Outcome::Destroyed);
    assert_eq!(session.id_change(), IdChange::Withdrawn);
    assert!(open(&manager, id).await.is_new());
}

#[tokio::test]
async fn set_after_destroy_begins_a_new_session() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.destroy();
    session.set("theme", "dark").unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Created);
    let new = session.id().unwrap();
    assert_eq!(session.id_change(), IdChange::Issued(new));
    assert!(open(&manager, id).await.is_new());
    assert_eq!(open(&manager, new).await.keys(), ["theme"]);
}

#[tokio::test]
async fn abort_after_destroy_deletes_the_record() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.destroy();
    session.set("theme", "dark").unwrap();
    assert_eq!(session.abort().await.unwrap(), Outcome::Destroyed);
    assert!(open(&manager, id).await.is_new());
    assert_eq!(session.id_change(), IdChange::Withdrawn);
}

#[tokio::test]
async fn failed_destroy_is_an_error_and_withdraws_the_id() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let manager = over(store.clone());
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.destroy();
    session.set("theme", "dark").unwrap();
    store.fail_nth(0, Fault::Before);
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(session.id_change(), IdChange::Withdrawn);
    // A second commit completes the work.
    assert_eq!(session.commit().await.unwrap(), Outcome::Created);
    assert!(open(&manager, id).await.is_new());
}

#[tokio::test]
async fn destroy_with_a_lost_reply_completes() {
    for fault in [Fault::Lost, Fault::After] {
        let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
        let manager = over(store.clone());
        let id = stored(&manager).await;
        let session = open(&manager, id).await;
        session.destroy();
        store.fail_nth(0, fault);
        assert_eq!(session.commit().await.unwrap(), Outcome::Destroyed);
        assert!(open(&manager, id).await.is_new());
    }
}

#[tokio::test]
async fn destroy_of_an_ended_session_withdraws_its_id() {
    let manager = manager();
    let session = open(&manager, SessionId::generate()).await;
    session.destroy();
    session.commit().await.unwrap();
    assert_eq!(session.id_change(), IdChange::Withdrawn);
}

#[tokio::test]
async fn destroy_of_an_unstored_session_leaves_the_client_unchanged() {
    let session = manager().open(None).await.unwrap();
    session.set("user", "ann").unwrap();
    session.destroy();
    assert_eq!(session.commit().await.unwrap(), Outcome::Unchanged);
    assert_eq!(session.id_change(), IdChange::Unchanged);
}

#[tokio::test]
async fn uncommitted_destroy_still_ends_the_session() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.destroy();
    drop(session);
    while !open(&manager, id).await.is_new() {
        tokio::task::yield_now().await;
    }
}

fn drop_on_a_thread_without_a_runtime(session: Session) {
    thread::spawn(move || drop(session)).join().unwrap();
}

/// A destroyed session and its id. The manager has seen no runtime.
fn destroyed_without_a_runtime(manager: &SessionManager) -> (Session, SessionId) {
    let opening = async {
        let id = stored(manager).await;
        (open(manager, id).await, id)
    };
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready((session, id)) = pin!(opening).poll(&mut context) else {
        unreachable!("a memory store never waits");
    };
    session.destroy();
    (session, id)
}

fn one_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).build().unwrap()
}

fn wait_for(events: &Events, expected: Event) {
    let mut seen = events.take();
    while !seen.contains(&expected) {
        thread::yield_now();
        seen.extend(events.take());
    }
}

#[test]
fn destroy_completes_when_dropped_on_a_thread_without_a_runtime() {
    let runtime = one_thread();
    let (manager, events) = observed(manager());
    let id = runtime.block_on(stored(&manager));
    let session = runtime.block_on(open(&manager, id));
    session.destroy();
    drop_on_a_thread_without_a_runtime(session);
    wait_for(&events, Event::Destroyed);
    assert!(now(open(&manager, id)).is_new());
}

#[test]
fn rotation_dropped_on_a_thread_without_a_runtime_leaves_one_id() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let (manager, events) = observed(over(store.clone()));
    let runtime = one_thread();
    let id = runtime.block_on(stored(&manager));
    let session = runtime.block_on(open(&manager, id));
    session.cycle_id();
    // No reply says whether the old id is deleted.
    for call in 1..=3 {
        store.fail_nth(call, Fault::Lost);
    }
    runtime.block_on(session.commit()).unwrap_err();
    events.take();
    drop_on_a_thread_without_a_runtime(session);
    while !now(open(&manager, id)).is_new() {
        thread::yield_now();
    }
    assert!(!events.take().contains(&Event::DestroyFailed));
}

#[test]
fn destroy_completes_on_the_runtime_of_the_builder() {
    let runtime = one_thread();
    let builder = manager().to_builder().runtime(runtime.handle().clone());
    let (manager, events) = observed(builder.build().unwrap());
    let (session, id) = destroyed_without_a_runtime(&manager);
    drop_on_a_thread_without_a_runtime(session);
    wait_for(&events, Event::Destroyed);
    assert!(now(open(&manager, id)).is_new());
}

#[test]
fn destroy_without_any_runtime_emits_destroy_failed() {
    let (manager, events) = observed(manager());
    let (session, id) = destroyed_without_a_runtime(&manager);
    drop_on_a_thread_without_a_runtime(session);
    assert_eq!(events.take(), [Event::Created, Event::DestroyFailed]);
    assert!(!now(open(&manager, id)).is_new());
}

#[test]
fn destroy_after_the_runtime_has_ended_emits_destroy_failed() {
    let (manager, events) = observed(manager());
    let runtime = one_thread();
    let id = runtime.block_on(stored(&manager));
    let session = runtime.block_on(open(&manager, id));
    session.destroy();
    drop(runtime);
    drop(session);
    assert_eq!(events.take(), [Event::Created, Event::DestroyFailed]);
}

#[tokio::test]
async fn uncommitted_destroy_that_the_store_refuses_emits_destroy_failed() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let (manager, events) = observed(over(store.clone()));
    let session = open(&manager, stored(&manager).await).await;
    events.take();
    session.destroy();
    store.fail_nth(0, Fault::Before);
    drop(session);
    tokio::task::yield_now().await;
    assert_eq!(events.take(), [Event::DestroyFailed]);
}
