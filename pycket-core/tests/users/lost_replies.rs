//! How often a call on the index is repeated.

use std::sync::Arc;

use pycket_core::{Error, ErrorKind, MemoryStore, Outcome, Session, SessionManager, SessionStore};
use pycket_testkit::{Fault, FaultyStore};

use crate::{handles, is_live, open, over, signed_in};

fn faulty() -> (Arc<MemoryStore>, Arc<FaultyStore>, SessionManager) {
    let store = Arc::new(MemoryStore::new());
    let faulty = Arc::new(FaultyStore::new(store.clone()));
    (store, faulty.clone(), over(faulty))
}

/// Loses `count` replies: that of the call `first`, and that of every call which is `distance` calls later.
fn lose_replies(store: &FaultyStore, (first, distance): (usize, usize), count: usize) {
    for n in 0..count {
        store.fail_nth(first + n * distance, Fault::Lost);
    }
}

fn is_ambiguous<T>(result: Result<T, Error>) -> bool {
    result.is_err_and(|error| error.kind() == ErrorKind::Ambiguous)
}

async fn sign_in(manager: &SessionManager) -> Result<Session, Error> {
    let session = manager.open(None).await?;
    session.log_in("ann")?;
    session.commit().await.map(|_| session)
}

/// It creates its record, and then loads and writes the index in turn.
#[tokio::test]
async fn sign_in_fails_at_the_fourth_lost_reply_of_the_index() {
    let (_, store, manager) = faulty();
    lose_replies(&store, (2, 2), 3);
    let session = sign_in(&manager).await.unwrap();
    assert_eq!(handles(&manager, "ann").await, [session.handle().unwrap()]);
    lose_replies(&store, (2, 2), 4);
    assert!(is_ambiguous(sign_in(&manager).await));
    assert_eq!(handles(&manager, "ann").await, [session.handle().unwrap()]);
}

#[tokio::test]
async fn sign_in_that_finds_its_entry_after_a_lost_reply_writes_no_other() {
    let (_, store, manager) = faulty();
    store.fail_nth(2, Fault::After);
    sign_in(&manager).await.unwrap();
    // The record; the index is loaded, written and loaded.
    assert_eq!(store.calls(), 4);
}

/// It loads the index and deletes the record, and then writes and loads the index in turn.
#[tokio::test]
async fn end_all_fails_at_the_fourth_lost_reply_of_the_index() {
    let (_, store, manager) = faulty();
    let sessions = manager.user("ann").unwrap();
    for (lost, succeeds) in [(3, true), (4, false)] {
        let session = signed_in(&manager, "ann").await;
        lose_replies(&store, (2, 2), lost);
        let ended = sessions.end_all().await;
        assert_eq!(ended.as_ref().ok(), succeeds.then_some(&1));
        assert!(succeeds || is_ambiguous(ended));
        assert!(!is_live(&manager, &session).await);
    }
}

/// It loads the index and the record, and removes the entry without a record.
#[tokio::test]
async fn listing_fails_at_the_fourth_lost_reply_of_the_index() {
    let (records, store, manager) = faulty();
    let sessions = manager.user("ann").unwrap();
    for (lost, succeeds) in [(3, true), (4, false)] {
        let session = signed_in(&manager, "ann").await;
        records.delete(&session.id().unwrap()).await.unwrap();
        lose_replies(&store, (2, 3), lost);
        let listed = sessions.sessions().await;
        assert_eq!(listed.as_ref().ok(), succeeds.then_some(&Vec::new()));
        assert!(succeeds || is_ambiguous(listed));
    }
}

/// An incomplete list would look as if a session had ended.
#[tokio::test]
async fn listing_with_an_unavailable_record_fails() {
    let (_, store, manager) = faulty();
    signed_in(&manager, "ann").await;
    store.fail_nth(1, Fault::Before);
    let listed = manager.user("ann").unwrap().sessions().await;
    assert_eq!(listed.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn sign_out_with_a_lost_reply_of_the_index_succeeds() {
    for fault in [Fault::Lost, Fault::After] {
        let (_, store, manager) = faulty();
        let session = signed_in(&manager, "ann").await;
        session.destroy();
        store.fail_nth(1, fault);
        assert_eq!(session.commit().await.unwrap(), Outcome::Destroyed);
        assert!(handles(&manager, "ann").await.is_empty());
    }
}

/// It deletes the record and then writes the index.
#[tokio::test]
async fn sign_out_with_an_unavailable_index_is_not_repeated() {
    let (_, store, manager) = faulty();
    let id = signed_in(&manager, "ann").await.id();
    let session = open(&manager, id).await;
    session.destroy();
    let before = store.calls();
    store.fail_nth(1, Fault::Before);
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(store.calls() - before, 2);
    session.commit().await.unwrap();
    assert!(handles(&manager, "ann").await.is_empty());
}

/// It creates the new record, writes the index and deletes the old record.
#[tokio::test]
async fn rotation_with_a_lost_reply_of_the_index_succeeds() {
    for fault in [Fault::Lost, Fault::After] {
        let (_, store, manager) = faulty();
        let session = signed_in(&manager, "ann").await;
        session.cycle_id();
        store.fail_nth(1, fault);
        assert_eq!(session.commit().await.unwrap(), Outcome::Rotated);
        assert_eq!(handles(&manager, "ann").await, [session.handle().unwrap()]);
    }
}

#[tokio::test]
async fn rotation_with_an_unavailable_index_keeps_the_old_id() {
    let (records, store, manager) = faulty();
    let old = signed_in(&manager, "ann").await.id();
    let session = open(&manager, old).await;
    session.cycle_id();
    store.fail_nth(1, Fault::Before);
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(!open(&manager, old).await.is_new());
    assert_eq!(records.len(), 2, "the record and the index");
}

#[tokio::test]
async fn rotation_that_cannot_delete_the_old_record_keeps_it_listed() {
    let (_, store, manager) = faulty();
    let old = signed_in(&manager, "ann").await.id();
    let session = open(&manager, old).await;
    session.cycle_id();
    store.fail_nth(2, Fault::Before);
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::Unavailable);
    let kept = open(&manager, old).await;
    assert_eq!(handles(&manager, "ann").await, [kept.handle().unwrap()]);
}
