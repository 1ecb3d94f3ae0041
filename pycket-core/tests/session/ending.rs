use std::sync::Arc;

use pycket_core::{ErrorKind, IdChange, MemoryStore, Outcome, SessionId};
use pycket_testkit::{Fault, FaultyStore};

use crate::{manager, open, over, stored};

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
