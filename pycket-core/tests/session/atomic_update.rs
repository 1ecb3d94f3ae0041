use std::sync::Arc;

use pycket_core::{ErrorKind, IdChange, MemoryStore, Outcome};
use pycket_testkit::{Fault, FaultyStore};

use crate::{manager, open, over, stored};

fn increment(n: Option<u32>) -> u32 {
    n.unwrap_or(0) + 1
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_concurrent_increments_count_sixty_four() {
    let manager = manager();
    let id = stored(&manager).await;
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let manager = manager.clone();
            tokio::spawn(async move {
                open(&manager, id).await.update("n", increment).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(open(&manager, id).await.require::<u32>("n").unwrap(), 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_increments_of_one_request_count_sixty_four() {
    let manager = manager();
    let session = manager.open(None).await.unwrap();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let session = session.clone();
            tokio::spawn(async move { session.update("n", increment).await.unwrap() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(open(&manager, session.id().unwrap()).await.require::<u32>("n").unwrap(), 64);
}

#[tokio::test]
async fn update_is_stored_before_it_returns() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    assert_eq!(session.update("n", increment).await.unwrap(), 1);
    assert_eq!(open(&manager, id).await.require::<u32>("n").unwrap(), 1);
    assert!(!session.is_changed());
    assert_eq!(session.id_change(), IdChange::Renewed(id));
    assert_eq!(session.commit().await.unwrap(), Outcome::Unchanged);
}

#[tokio::test]
async fn update_starts_from_the_uncommitted_value() {
    let manager = manager();
    let session = open(&manager, stored(&manager).await).await;
    session.set("n", &10).unwrap();
    assert_eq!(session.update("n", increment).await.unwrap(), 11);
    assert!(!session.is_changed());
    assert_eq!(open(&manager, session.id().unwrap()).await.require::<u32>("n").unwrap(), 11);
}

#[tokio::test]
async fn update_of_a_deleted_name_survives_the_commit() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.delete(["user"]);
    assert_eq!(session.update("user", increment).await.unwrap(), 1);
    assert_eq!(session.require::<u32>("user").unwrap(), 1);
    session.commit().await.unwrap();
    assert_eq!(open(&manager, id).await.require::<u32>("user").unwrap(), 1);
}

#[tokio::test]
async fn update_commits_earlier_changes_first() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.set("draft", &1).unwrap();
    session.update("n", increment).await.unwrap();
    assert_eq!(open(&manager, id).await.keys(), ["draft", "n", "user"]);
    assert_eq!(session.commit().await.unwrap(), Outcome::Unchanged);
}

#[tokio::test]
async fn update_after_cycle_id_is_stored_under_the_new_id() {
    let manager = manager();
    let old = stored(&manager).await;
    let session = open(&manager, old).await;
    session.cycle_id();
    session.update("n", increment).await.unwrap();
    assert_ne!(session.id().unwrap(), old);
    assert!(open(&manager, old).await.is_new());
    assert_eq!(open(&manager, session.id().unwrap()).await.keys(), ["n", "user"]);
}

#[tokio::test]
async fn update_of_an_ended_session_fails_and_stores_nothing() {
    let manager = manager();
    let id = stored(&manager).await;
    let late = open(&manager, id).await;
    let logout = open(&manager, id).await;
    logout.destroy();
    logout.commit().await.unwrap();
    assert_eq!(late.update("n", increment).await.unwrap_err().kind(), ErrorKind::Ended);
    assert!(open(&manager, id).await.is_new());
    assert_eq!(late.id_change(), IdChange::Unchanged);
}

#[tokio::test]
async fn update_of_a_value_of_another_type_fails_and_changes_nothing() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    assert_eq!(session.update("user", increment).await.unwrap_err().kind(), ErrorKind::Decode);
    assert_eq!(open(&manager, id).await.require::<String>("user").unwrap(), "ann");
}

#[tokio::test]
async fn failed_first_update_leaves_the_session_unchanged() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let session = over(store.clone()).open(None).await.unwrap();
    store.fail_nth(0, Fault::Before);
    let error = session.update("n", increment).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(!session.contains("n") && !session.is_changed());
}
