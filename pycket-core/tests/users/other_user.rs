//! A sign-in as another user than before.

use std::sync::Arc;

use pycket_core::{MemoryStore, Outcome, Session, SessionManager};

use crate::{DAY, handles, is_live, manager, open, over};

/// A session of "bob" with a value, a notification and timeouts of its own.
async fn of_bob(manager: &SessionManager) -> Session {
    let session = manager.open(None).await.unwrap();
    session.log_in("bob").unwrap();
    session.set("cart", &3).unwrap();
    session.notifications().set("info", "for bob").unwrap();
    session.set_idle_timeout(30 * DAY).unwrap();
    session.commit().await.unwrap();
    session
}

#[tokio::test]
async fn another_user_begins_with_an_empty_session() {
    let store = Arc::new(MemoryStore::new());
    let manager = over(store.clone());
    let before = of_bob(&manager).await;

    let session = open(&manager, before.id()).await;
    session.set("unsaved", &1).unwrap();
    session.notifications().set("unsaved", "for bob").unwrap();
    session.log_in("ann").unwrap();
    assert_eq!(session.user_id().as_deref(), Some("ann"));
    assert_ne!(session.handle(), before.handle());
    assert!(session.is_empty() && session.notifications().keys().is_empty());
    assert_eq!(session.get::<u8>("cart").unwrap(), None);
    session.set("role", "admin").unwrap();
    session.notifications().set("hello", "for ann").unwrap();
    assert_eq!(session.keys(), ["role"]);
    assert_eq!(session.commit().await.unwrap(), Outcome::Created);

    let next = open(&manager, session.id()).await;
    assert_eq!(next.keys(), ["role"]);
    assert_eq!(next.notifications().keys(), ["hello"]);
    assert!(next.expires_in().unwrap() <= DAY);
    assert!(!is_live(&manager, &before).await);
    assert!(handles(&manager, "bob").await.is_empty());
    assert_eq!(handles(&manager, "ann").await, [session.handle().unwrap()]);
    // The session, its notification, and two indexes of which one ends at once.
    next.destroy();
    next.commit().await.unwrap();
    handles(&manager, "ann").await;
}

#[tokio::test]
async fn what_others_write_to_the_session_of_the_old_user_is_dropped() {
    let manager = manager();
    let before = of_bob(&manager).await;
    let session = open(&manager, before.id()).await;
    session.log_in("ann").unwrap();
    let other = open(&manager, before.id()).await;
    other.set("theirs", &1).unwrap();
    other.commit().await.unwrap();
    session.reload().await.unwrap();
    assert!(session.is_empty());
    session.commit().await.unwrap();
    assert!(open(&manager, session.id()).await.is_empty());
}

#[tokio::test]
async fn an_aborted_sign_in_shows_the_old_user_again() {
    let manager = manager();
    let before = of_bob(&manager).await;
    let session = open(&manager, before.id()).await;
    session.log_in("ann").unwrap();
    session.set("role", "admin").unwrap();
    session.abort().await.unwrap();
    assert_eq!(session.user_id().as_deref(), Some("bob"));
    assert_eq!(session.keys(), ["cart"]);
    assert!(session.notifications().contains("info"));
    assert!(is_live(&manager, &before).await);
}

#[tokio::test]
async fn signing_in_twice_before_the_commit_counts_as_the_last_user() {
    let manager = manager();
    let before = of_bob(&manager).await;
    let session = open(&manager, before.id()).await;
    session.log_in("ann").unwrap();
    session.set("for ann", &1).unwrap();
    session.log_in("bob").unwrap();
    assert_eq!(session.handle(), before.handle());
    assert!(session.is_empty());
    session.set("for bob", &1).unwrap();
    session.commit().await.unwrap();
    assert_eq!(open(&manager, session.id()).await.keys(), ["for bob"]);
    assert_eq!(handles(&manager, "bob").await, [before.handle().unwrap()]);
    assert!(handles(&manager, "ann").await.is_empty());
    assert!(!is_live(&manager, &before).await);
}

#[tokio::test]
async fn the_old_user_keeps_the_other_sessions() {
    let manager = manager();
    let [one, two] = [of_bob(&manager).await, of_bob(&manager).await];
    let session = open(&manager, one.id()).await;
    session.log_in("ann").unwrap();
    session.commit().await.unwrap();
    assert_eq!(handles(&manager, "bob").await, [two.handle().unwrap()]);
    assert!(is_live(&manager, &two).await);
}

#[tokio::test]
async fn the_old_session_ends_also_if_its_id_changes_meanwhile() {
    let manager = manager();
    let before = of_bob(&manager).await;
    let session = open(&manager, before.id()).await;
    session.log_in("ann").unwrap();
    let rotating = open(&manager, before.id()).await;
    rotating.cycle_id();
    rotating.commit().await.unwrap();
    session.commit().await.unwrap();
    assert!(!is_live(&manager, &rotating).await);
    assert!(handles(&manager, "bob").await.is_empty());
}
