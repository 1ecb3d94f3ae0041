//! "Remember me": one session with its own timeouts and a cookie that lasts.

use std::time::Duration;

use pycket_core::{ErrorKind, Expiry, IdChange, MemoryStore, Outcome, SessionId, SessionManager};
use pycket_testkit::ManualClock;

use crate::{open, stored};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// An application with 1 hour of idle timeout and 24 hours of absolute timeout.
fn aal2() -> (ManualClock, SessionManager) {
    let clock = ManualClock::new();
    let store = MemoryStore::builder().clock(clock.clone()).build().unwrap();
    let manager = SessionManager::builder(store).expiry(Expiry::aal2()).clock(clock.clone());
    (clock, manager.build().unwrap())
}

async fn remembered(manager: &SessionManager) -> SessionId {
    let session = open(manager, stored(manager).await).await;
    session.remember(10 * DAY, 30 * DAY).unwrap();
    session.commit().await.unwrap();
    session.id().unwrap()
}

#[tokio::test]
async fn remembered_session_outlives_the_timeouts_of_the_application() {
    let (clock, manager) = aal2();
    let id = remembered(&manager).await;
    for _ in 0..3 {
        clock.advance(9 * DAY);
        let session = open(&manager, id).await;
        assert_eq!(session.require::<String>("user").unwrap(), "ann");
        session.commit().await.unwrap();
    }
    assert_eq!(open(&manager, id).await.expires_in(), Some(3 * DAY));
    clock.advance(3 * DAY);
    assert!(open(&manager, id).await.is_new());
}

#[tokio::test]
async fn remembered_session_ends_after_its_own_idle_timeout() {
    let (clock, manager) = aal2();
    let id = remembered(&manager).await;
    clock.advance(10 * DAY);
    assert!(open(&manager, id).await.is_new());
}

#[tokio::test]
async fn only_a_remembered_session_has_a_cookie_lifetime() {
    let (clock, manager) = aal2();
    let other = open(&manager, stored(&manager).await).await;
    let own_idle_timeout = open(&manager, stored(&manager).await).await;
    own_idle_timeout.set_idle_timeout(HOUR / 2).unwrap();
    own_idle_timeout.commit().await.unwrap();
    let id = remembered(&manager).await;
    assert_eq!(open(&manager, id).await.cookie_lifetime(), Some(30 * DAY));
    for session in [&other, &own_idle_timeout] {
        assert_eq!(session.cookie_lifetime(), None);
        assert_eq!(session.absolute_expires_in(), Some(DAY));
    }
    clock.advance(DAY);
    assert!(open(&manager, other.id().unwrap()).await.is_new());
    assert_eq!(open(&manager, id).await.cookie_lifetime(), Some(29 * DAY));
}

#[tokio::test]
async fn remember_restarts_the_timeouts_under_a_new_id() {
    let (clock, manager) = aal2();
    let before = stored(&manager).await;
    clock.advance(HOUR / 2);
    let session = open(&manager, before).await;
    session.remember(10 * DAY, 30 * DAY).unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Rotated);
    assert_eq!(session.id_change(), IdChange::Issued(session.id().unwrap()));
    assert_eq!(session.absolute_expires_in(), Some(30 * DAY));
    assert!(open(&manager, before).await.is_new());
}

#[tokio::test]
async fn new_session_is_remembered_once_it_has_a_value() {
    let (_, manager) = aal2();
    let session = manager.open(None).await.unwrap();
    session.remember(10 * DAY, 30 * DAY).unwrap();
    assert!(!session.needs_commit() && session.is_empty());
    assert_eq!(session.commit().await.unwrap(), Outcome::Unchanged);
    session.set("user", "ann").unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Created);
    assert_eq!(session.cookie_lifetime(), Some(30 * DAY));
    assert_eq!(session.keys(), ["user"]);
}

#[tokio::test]
async fn new_session_that_begins_with_an_atomic_change_is_remembered() {
    let (_, manager) = aal2();
    let session = manager.open(None).await.unwrap();
    session.remember(10 * DAY, 30 * DAY).unwrap();
    session.update("visits", |visits: Option<u32>| visits.unwrap_or(0) + 1).await.unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Unchanged);
    let later = open(&manager, session.id().unwrap()).await;
    assert_eq!(later.expires_in(), Some(10 * DAY));
    assert_eq!(later.cookie_lifetime(), Some(30 * DAY));
    assert_eq!(later.keys(), ["visits"]);
}

#[tokio::test]
async fn remembered_session_keeps_its_timeouts_when_its_id_changes() {
    let (clock, manager) = aal2();
    let session = open(&manager, remembered(&manager).await).await;
    clock.advance(5 * DAY);
    session.cycle_id();
    session.clear();
    session.commit().await.unwrap();
    let later = open(&manager, session.id().unwrap()).await;
    assert_eq!(later.cookie_lifetime(), Some(25 * DAY));
    assert_eq!(later.expires_in(), Some(10 * DAY));
}

#[tokio::test]
async fn restart_timeouts_ends_remember_me_unless_it_is_set_again() {
    let (_, manager) = aal2();
    let session = open(&manager, remembered(&manager).await).await;
    session.restart_timeouts();
    session.commit().await.unwrap();
    assert_eq!(session.cookie_lifetime(), None);
    assert_eq!(session.expires_in(), Some(HOUR));
    assert_eq!(session.absolute_expires_in(), Some(DAY));
    for is_first in [true, false] {
        if is_first {
            session.remember(10 * DAY, 30 * DAY).unwrap();
        }
        session.restart_timeouts();
        if !is_first {
            session.remember(10 * DAY, 30 * DAY).unwrap();
        }
        session.commit().await.unwrap();
        assert_eq!(session.cookie_lifetime(), Some(30 * DAY));
    }
}

#[tokio::test]
async fn remember_does_not_bring_back_an_ended_session() {
    let (clock, manager) = aal2();
    let session = open(&manager, stored(&manager).await).await;
    clock.advance(DAY);
    session.remember(10 * DAY, 30 * DAY).unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Ended);
    assert_eq!(session.cookie_lifetime(), None);
}

#[tokio::test]
async fn aborted_request_is_not_remembered() {
    let (_, manager) = aal2();
    let session = open(&manager, stored(&manager).await).await;
    session.remember(10 * DAY, 30 * DAY).unwrap();
    session.abort().await.unwrap();
    assert_eq!(session.cookie_lifetime(), None);
    assert_eq!(open(&manager, session.id().unwrap()).await.cookie_lifetime(), None);
}

#[tokio::test]
async fn remember_with_a_timeout_out_of_range_changes_nothing() {
    let (_, manager) = aal2();
    let session = open(&manager, stored(&manager).await).await;
    for (idle, absolute) in [(Duration::ZERO, DAY), (DAY, Duration::ZERO), (DAY, Duration::MAX)] {
        let error = session.remember(idle, absolute).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSetting);
    }
    assert!(!session.is_changed());
}
