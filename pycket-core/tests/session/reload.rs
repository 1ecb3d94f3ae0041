//! Reading a session again.

use std::sync::Arc;

use pycket_core::{ErrorKind, Event, MemoryStore, Outcome, Session, SessionManager};
use pycket_testkit::{Fault, FaultyStore};

use crate::events::observed;
use crate::{manager, open, over, stored};

async fn set(session: &Session, name: &str) {
    session.set(name, &1).unwrap();
    session.commit().await.unwrap();
}

async fn end(manager: &SessionManager, session: &Session) {
    let logout = manager.open(session.id()).await.unwrap();
    logout.destroy();
    logout.commit().await.unwrap();
}

#[tokio::test]
async fn reload_shows_the_values_of_other_requests_and_keeps_own_changes() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.set("own", &1).unwrap();
    session.delete(["user"]);
    set(&open(&manager, id).await, "other").await;
    session.reload().await.unwrap();
    assert_eq!(session.keys(), ["other", "own"]);
    session.commit().await.unwrap();
    assert_eq!(open(&manager, id).await.keys(), ["other", "own"]);
}

#[tokio::test]
async fn reload_of_an_unstored_session_changes_nothing() {
    let session = manager().open(None).await.unwrap();
    session.set("own", &1).unwrap();
    session.reload().await.unwrap();
    assert_eq!(session.keys(), ["own"]);
}

#[tokio::test]
async fn reload_of_an_ended_session_returns_ended_and_empties_it() {
    for has_changes in [false, true] {
        let (manager, events) = observed(manager());
        let id = stored(&manager).await;
        let session = open(&manager, id).await;
        if has_changes {
            session.set("own", &1).unwrap();
        }
        end(&manager, &session).await;
        events.take();
        for _ in 0..2 {
            assert_eq!(session.reload().await.unwrap_err().kind(), ErrorKind::Ended);
            assert!(session.is_new() && session.is_empty());
        }
        let expected = if has_changes { vec![Event::Ended] } else { vec![] };
        assert_eq!(events.take(), expected);
    }
}

#[tokio::test]
async fn reload_after_a_commit_that_found_the_session_ended_returns_ended() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    end(&manager, &session).await;
    session.set("own", &1).unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Ended);
    assert_eq!(session.reload().await.unwrap_err().kind(), ErrorKind::Ended);
}

#[tokio::test]
async fn reload_after_another_requests_rotation_returns_ended() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    let login = open(&manager, id).await;
    login.cycle_id();
    login.commit().await.unwrap();
    assert_eq!(session.reload().await.unwrap_err().kind(), ErrorKind::Ended);
    assert!(!open(&manager, login.id().unwrap()).await.is_new());
}

#[tokio::test]
async fn failed_reload_changes_nothing() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let manager = over(store.clone());
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.set("own", &1).unwrap();
    store.fail_nth(0, Fault::Before);
    assert_eq!(session.reload().await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(session.keys(), ["own", "user"]);
    session.commit().await.unwrap();
    assert_eq!(open(&manager, id).await.keys(), ["own", "user"]);
}
