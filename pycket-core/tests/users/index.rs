//! The record that lists the sessions of a user: how often it is written, how long it lives, and what an evicted
//! one means.

use std::sync::Arc;
use std::time::Duration;

use pycket_core::{
    Changes, Expiry, Outcome, Renew, SessionId, SessionManager, SessionStore, Update,
};
use pycket_testkit::{Calls, CountingStore, Fault, FaultyStore, ManualClock};

use crate::watched::Watched;
use crate::world::manager;
use crate::{DAY, at, handles, is_live, open, over, signed_in};

fn evicting() -> (Arc<Watched>, SessionManager) {
    let clock = ManualClock::new();
    let store = Arc::new(Watched::new(&clock));
    (store.clone(), manager(store, &clock))
}

#[tokio::test]
async fn a_session_is_listed_again_after_an_eviction_when_it_changes_its_id() {
    let (store, manager) = evicting();
    let session = manager.open(None).await.unwrap();
    session.log_in_labelled("ann", "Firefox").unwrap();
    session.commit().await.unwrap();
    let signed_in_at = manager.user("ann").unwrap().sessions().await.unwrap()[0].signed_in_at;
    store.evict().await;
    assert!(handles(&manager, "ann").await.is_empty());

    let newer = signed_in(&manager, "ann").await;
    let rotating = open(&manager, session.id()).await;
    rotating.cycle_id();
    assert_eq!(rotating.commit().await.unwrap(), Outcome::Rotated);
    let listed = manager.user("ann").unwrap().sessions().await.unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0].handle, newer.handle().unwrap());
    assert_eq!(
        (listed[1].handle, listed[1].signed_in_at),
        (session.handle().unwrap(), signed_in_at)
    );
    assert_eq!(listed[1].label.as_deref(), Some("Firefox"));
    assert_eq!(manager.user("ann").unwrap().end_all().await.unwrap(), 2);
    assert!(!is_live(&manager, &rotating).await);
}

#[tokio::test]
async fn a_sign_out_after_an_eviction_ends_the_session() {
    let (store, manager) = evicting();
    let session = signed_in(&manager, "ann").await;
    store.evict().await;
    session.destroy();
    assert_eq!(session.commit().await.unwrap(), Outcome::Destroyed);
}

/// Only the deleted record shows that no other request has ended the session, and it is not seen.
#[tokio::test]
async fn after_an_eviction_a_lost_old_record_ends_a_rotation() {
    let clock = ManualClock::new();
    let store = Arc::new(Watched::new(&clock));
    let faulty = Arc::new(FaultyStore::new(store.clone()));
    let manager = manager(faulty.clone(), &clock);
    let session = signed_in(&manager, "ann").await;
    store.evict().await;
    session.cycle_id();
    // Create, an update and a load of the index, a load of the old record, the create of the index, and the delete.
    faulty.fail_nth(5, Fault::After);
    assert_eq!(session.commit().await.unwrap(), Outcome::Ended);
    assert!(handles(&manager, "ann").await.is_empty());
}

#[tokio::test]
async fn with_the_check_an_eviction_ends_the_sessions() {
    let (store, manager) = evicting();
    let manager = manager.to_builder().check_user_index(true).build().unwrap();
    let session = signed_in(&manager, "ann").await;
    assert!(is_live(&manager, &session).await);
    let [rotating, plain] = [open(&manager, session.id()).await, manager.open(None).await.unwrap()];
    plain.set("cart", &3).unwrap();
    plain.commit().await.unwrap();
    store.evict().await;
    assert!(!is_live(&manager, &session).await);
    assert!(is_live(&manager, &plain).await);
    rotating.cycle_id();
    assert_eq!(rotating.commit().await.unwrap(), Outcome::Ended);
    signed_in(&manager, "ann").await;
    assert!(!is_live(&manager, &session).await);
}

#[tokio::test]
async fn with_the_check_a_session_stays_live_when_it_changes_its_id() {
    let (_, manager) = evicting();
    let manager = manager.to_builder().check_user_index(true).build().unwrap();
    let session = signed_in(&manager, "ann").await;
    for _ in 0..20 {
        session.cycle_id();
        session.commit().await.unwrap();
        assert!(is_live(&manager, &session).await);
    }
    session.log_in("ann").unwrap();
    session.commit().await.unwrap();
    assert!(is_live(&manager, &session).await);
}

#[tokio::test]
async fn renewals_write_the_index_at_most_five_times_per_idle_timeout() {
    let clock = ManualClock::new();
    let counted = Arc::new(CountingStore::new(at(&clock).0));
    let expiry = Expiry::builder().idle_timeout(DAY).renew(Renew::OnAccess).build().unwrap();
    let manager = over(counted.clone()).to_builder().clock(clock.clone()).expiry(expiry);
    let manager = manager.build().unwrap();
    let session = signed_in(&manager, "ann").await;
    counted.take();
    let minutes = 24 * 60;
    for _ in 0..minutes {
        clock.advance(Duration::from_secs(60));
        open(&manager, session.id()).await.commit().await.unwrap();
    }
    let calls = counted.take();
    assert!(calls.load - minutes <= 5 && calls.load > minutes, "{calls:?}");
    assert_eq!(calls.update, 10 + (calls.load - minutes));
    assert_eq!((calls.create, calls.delete), (0, 0));
    assert_eq!(calls, Calls { load: calls.load, update: calls.update, ..Calls::default() });
}

#[tokio::test]
async fn a_shorter_sign_in_does_not_shorten_the_index() {
    let clock = ManualClock::new();
    let (_, builder) = at(&clock);
    let manager = builder.build().unwrap();
    let long = manager.open(None).await.unwrap();
    long.remember(30 * DAY, 365 * DAY).unwrap();
    long.log_in("ann").unwrap();
    long.commit().await.unwrap();
    for _ in 0..20 {
        signed_in(&manager, "ann").await;
        clock.advance(DAY);
    }
    assert!(is_live(&manager, &long).await);
    manager.user("ann").unwrap().end_all().await.unwrap();
    assert!(!is_live(&manager, &long).await);
}

#[tokio::test]
async fn a_record_of_another_format_is_an_error() {
    let (store, manager) = evicting();
    let session = signed_in(&manager, "ann").await;
    let index = store.indexes()[0];
    let newer = pycket_core::Value::encode(&(2, 1, 7)).unwrap();
    let changes = Changes::new().set("\0pycket:index", newer);
    assert_eq!(store.update(&index, &changes, None).await.unwrap(), Update::Applied);
    let error = manager.user("ann").unwrap().sessions().await.unwrap_err();
    assert_eq!(error.kind(), pycket_core::ErrorKind::Corrupt);
    let log_in = manager.open(None).await.unwrap();
    log_in.log_in("ann").unwrap();
    assert!(log_in.commit().await.is_err());
    assert!(is_live(&manager, &session).await);
}

#[tokio::test]
async fn no_client_can_present_the_id_of_an_index() {
    let (store, manager) = evicting();
    signed_in(&manager, "ann").await;
    let index = store.indexes()[0];
    assert!(index.expose().parse::<SessionId>().is_err());
}
