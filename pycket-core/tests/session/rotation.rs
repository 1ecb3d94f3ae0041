use std::sync::Arc;
use std::time::Duration;

use pycket_core::{ErrorKind, Expiry, IdChange, MemoryStore, Outcome, SessionManager};
use pycket_testkit::{Fault, FaultyStore, ManualClock};

use crate::ambiguity::faulty_at;
use crate::{manager, open, over, stored};

#[tokio::test]
async fn cycle_id_keeps_the_values_and_ends_the_old_id() {
    let manager = manager();
    let old = stored(&manager).await;
    let session = open(&manager, old).await;
    session.cycle_id();
    session.set("role", "admin").unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Rotated);
    let new = session.id().unwrap();
    assert_ne!(new, old);
    assert_eq!(session.id_change(), IdChange::Issued(new));
    assert_eq!(open(&manager, new).await.keys(), ["role", "user"]);
    assert!(open(&manager, old).await.is_new());
}

#[tokio::test]
async fn rotation_keeps_what_others_stored_under_the_old_id() {
    let manager = manager();
    let old = stored(&manager).await;
    let login = open(&manager, old).await;
    login.cycle_id();
    login.set("mine", &1).unwrap();

    let other = open(&manager, old).await;
    other.set("theirs", &2).unwrap();
    other.set("mine", &2).unwrap();
    other.delete(["user"]);
    other.commit().await.unwrap();

    login.commit().await.unwrap();
    let next = open(&manager, login.id().unwrap()).await;
    assert_eq!(next.keys(), ["mine", "theirs"]);
    assert_eq!(next.require::<u8>("mine").unwrap(), 1);
    assert_eq!(login.keys(), ["mine", "theirs"]);
}

#[tokio::test]
async fn rotation_keeps_an_idle_timeout_set_by_another_request() {
    let manager = manager();
    let old = stored(&manager).await;
    let login = open(&manager, old).await;
    login.cycle_id();
    let other = open(&manager, old).await;
    let month = std::time::Duration::from_secs(30 * 86_400);
    other.set_idle_timeout(month).unwrap();
    other.commit().await.unwrap();
    login.commit().await.unwrap();

    let next = open(&manager, login.id().unwrap()).await;
    assert!(next.expires_in().unwrap() > month / 2);
    assert!(login.expires_in().unwrap() > month / 2);
    next.set("age", &30).unwrap();
    next.commit().await.unwrap();
    assert!(next.expires_in().unwrap() > month / 2);
}

#[tokio::test]
async fn rotation_of_an_ended_session_returns_ended() {
    let store = Arc::new(MemoryStore::new());
    let manager = over(store.clone());
    let old = stored(&manager).await;
    let login = open(&manager, old).await;
    login.cycle_id();
    let logout = open(&manager, old).await;
    logout.destroy();
    logout.commit().await.unwrap();
    assert_eq!(login.commit().await.unwrap(), Outcome::Ended);
    assert_eq!(login.id_change(), IdChange::Unchanged);
    assert!(store.is_empty());
}

/// The store calls of a rotation: create, delete, and an update with what the old record had gained.
#[tokio::test]
async fn failure_at_any_rotation_step_keeps_a_working_id_and_all_values() {
    for nth in 0..5 {
        for fault in [Fault::Before, Fault::Lost, Fault::After] {
            let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
            let manager = over(store.clone());
            let old = stored(&manager).await;
            let login = open(&manager, old).await;
            login.cycle_id();
            login.set("mine", &1).unwrap();
            let other = open(&manager, old).await;
            other.set("theirs", &2).unwrap();
            other.commit().await.unwrap();

            store.fail_nth(nth, fault);
            let result = login.commit().await;
            store.heal();
            let case = format!("call {nth}, {fault:?}: {result:?}");
            let cookie = match login.id_change() {
                IdChange::Issued(id) => id,
                IdChange::Unchanged => old,
                other => panic!("{case}: {other:?}"),
            };
            let survivor = open(&manager, cookie).await;
            assert!(survivor.contains("user"), "{case}");
            if result.is_ok() {
                assert!(survivor.contains("mine"), "{case}");
                assert!(open(&manager, old).await.is_new(), "{case}");
            }
            // The lost reply to the delete contained what others wrote.
            if !(nth == 1 && fault == Fault::After) {
                login.commit().await.unwrap();
                let id = login.id().unwrap();
                assert_eq!(open(&manager, id).await.keys(), ["mine", "theirs", "user"], "{case}");
            }
        }
    }
}

#[tokio::test]
async fn old_id_ends_with_the_request_when_its_delete_was_ambiguous() {
    for is_committed_again in [true, false] {
        let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
        let manager = over(store.clone());
        let old = stored(&manager).await;
        let login = open(&manager, old).await;
        login.cycle_id();
        for delete in 1..=3 {
            store.fail_nth(delete, Fault::Lost);
        }
        assert_eq!(login.commit().await.unwrap_err().kind(), ErrorKind::Ambiguous);
        let new = login.id().unwrap();
        assert_eq!(login.id_change(), IdChange::Issued(new));

        if is_committed_again {
            assert_eq!(login.commit().await.unwrap(), Outcome::Rotated);
            assert!(open(&manager, old).await.is_new());
            assert_eq!(login.id_change(), IdChange::Issued(new));
        }
        drop(login);
        while !open(&manager, old).await.is_new() {
            tokio::task::yield_now().await;
        }
        assert_eq!(open(&manager, new).await.keys(), ["user"]);
    }
}

#[tokio::test]
async fn only_restart_timeouts_restarts_the_absolute_timeout() {
    use pycket_core::Clock;

    let clock = ManualClock::new();
    let arc: Arc<dyn Clock> = Arc::new(clock.clone());
    let store = Arc::new(MemoryStore::builder().clock(arc.clone()).build().unwrap());
    let expiry = Expiry::builder().absolute_timeout(Duration::from_secs(100)).build().unwrap();
    let manager = SessionManager::builder(store).expiry(expiry).clock(arc).build().unwrap();
    let id = stored(&manager).await;

    clock.advance(Duration::from_secs(60));
    let session = open(&manager, id).await;
    session.cycle_id();
    session.commit().await.unwrap();
    assert_eq!(session.absolute_expires_in(), Some(Duration::from_secs(40)));

    session.restart_timeouts();
    session.commit().await.unwrap();
    assert_eq!(session.absolute_expires_in(), Some(Duration::from_secs(100)));
}

#[tokio::test]
async fn old_id_is_deleted_by_a_commit_after_the_absolute_timeout() {
    let timeout = Duration::from_secs(100);
    let expiry = Expiry::builder().absolute_timeout(timeout).build().unwrap();
    let (clock, store, manager) = faulty_at(expiry);
    let old = stored(&manager).await;
    let login = open(&manager, old).await;
    login.cycle_id();
    for delete in 1..=3 {
        store.fail_nth(delete, Fault::Lost);
    }
    assert!(login.commit().await.is_err());
    clock.advance(timeout);
    // Nothing is dropped, because only the delete was left.
    assert_eq!(login.commit().await.unwrap(), Outcome::Rotated);
}
