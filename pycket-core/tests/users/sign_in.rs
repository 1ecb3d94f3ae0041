use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use pycket_core::{ErrorKind, Expiry, IdChange, Outcome};
use pycket_testkit::{ManualClock, PausingStore};

use crate::watched::Watched;
use crate::{DAY, at, handles, is_live, manager, open, over, signed_in};

#[tokio::test]
async fn a_sign_in_is_visible_at_once_and_stored_by_the_commit() {
    let manager = manager();
    let session = manager.open(None).await.unwrap();
    assert_eq!(session.user_id(), None);
    assert_eq!(session.handle(), None);
    assert!(session.user_sessions().is_none());

    session.log_in(42).unwrap();
    assert_eq!(session.user_id().as_deref(), Some("42"));
    let handle = session.handle().unwrap();
    assert!(session.needs_commit() && session.is_changed());
    assert!(handles(&manager, "42").await.is_empty());

    assert_eq!(session.commit().await.unwrap(), Outcome::Created);
    assert_eq!(session.id_change(), IdChange::Issued(session.id().unwrap()));
    assert_eq!(session.handle(), Some(handle));
    let next = open(&manager, session.id()).await;
    assert_eq!((next.user_id().as_deref(), next.handle()), (Some("42"), Some(handle)));
    assert_eq!(handles(&manager, "42").await, [handle]);
    assert!(next.is_empty());
    assert!(!session.needs_commit());
}

#[tokio::test]
async fn a_sign_in_keeps_the_values_of_a_session_without_a_user() {
    let manager = manager();
    let before = manager.open(None).await.unwrap();
    before.set("cart", &3).unwrap();
    before.notifications().set("info", "Welcome.").unwrap();
    before.commit().await.unwrap();

    let session = open(&manager, before.id()).await;
    session.set("role", "admin").unwrap();
    session.log_in("ann").unwrap();
    session.delete(["cart"]);
    session.set("cart", &4).unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Rotated);
    assert!(!is_live(&manager, &before).await);

    let next = open(&manager, session.id()).await;
    assert_eq!(next.keys(), ["cart", "role"]);
    assert_eq!(next.require::<u8>("cart").unwrap(), 4);
    assert!(next.notifications().contains("info"));
}

#[tokio::test]
async fn a_sign_in_keeps_what_others_stored_meanwhile() {
    let manager = manager();
    let before = manager.open(None).await.unwrap();
    before.set("cart", &3).unwrap();
    before.commit().await.unwrap();

    let session = open(&manager, before.id()).await;
    session.log_in("ann").unwrap();
    let other = open(&manager, before.id()).await;
    other.set("theirs", &1).unwrap();
    other.commit().await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(open(&manager, session.id()).await.keys(), ["cart", "theirs"]);
    assert_eq!(session.user_id().as_deref(), Some("ann"));
}

#[tokio::test]
async fn a_sign_in_keeps_what_another_request_stored_under_a_new_id() {
    let manager = manager();
    let before = signed_in(&manager, "ann").await;
    let session = open(&manager, before.id()).await;
    session.log_in("ann").unwrap();
    let rotated = open(&manager, before.id()).await;
    rotated.cycle_id();
    rotated.set("theirs", &1).unwrap();
    rotated.commit().await.unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Rotated);
    assert_eq!(open(&manager, session.id()).await.keys(), ["theirs"]);
    assert!(!is_live(&manager, &rotated).await);
}

/// The sign-in and the requests that change the id could follow each other without end.
#[tokio::test]
async fn a_sign_in_whose_session_changes_its_id_again_starts_again_once() {
    let store = Arc::new(Watched::new(&ManualClock::new()));
    let (others, manager) = (over(store.clone()), over(Arc::new(PausingStore::new(store.clone()))));
    let mut latest = signed_in(&others, "ann").await.id();
    let session = open(&manager, latest).await;
    session.log_in("ann").unwrap();
    let mut commit = Box::pin(session.commit());
    let mut next_call = || commit.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let mut attempts = 0;
    let outcome = loop {
        let known = store.created().len();
        if let Poll::Ready(outcome) = next_call() {
            break outcome.unwrap();
        }
        if store.created().len() > known {
            attempts += 1;
            assert!(attempts <= 2, "it has started again once already");
            // It loads the index and writes it, and then waits to delete the old record.
            assert!(next_call().is_pending() && next_call().is_pending());
            let other = open(&others, latest).await;
            other.cycle_id();
            assert_eq!(other.commit().await.unwrap(), Outcome::Rotated);
            latest = other.id();
        }
    };
    assert_eq!((outcome, attempts), (Outcome::Rotated, 2));
    assert_eq!(handles(&others, "ann").await, [session.handle().unwrap()]);
    assert!(is_live(&others, &session).await);
}

#[tokio::test]
async fn a_sign_in_after_the_absolute_timeout_starts_it_anew() {
    let clock = ManualClock::new();
    let (_, builder) = at(&clock);
    let expiry = Expiry::builder().idle_timeout(DAY).absolute_timeout(DAY).build().unwrap();
    let manager = builder.expiry(expiry).build().unwrap();
    let session = manager.open(None).await.unwrap();
    session.set("cart", &3).unwrap();
    session.commit().await.unwrap();

    // The request began before it.
    clock.advance(DAY);
    session.log_in("ann").unwrap();
    session.commit().await.unwrap();
    assert_eq!(session.absolute_expires_in(), Some(DAY));
    assert_eq!(open(&manager, session.id()).await.user_id().as_deref(), Some("ann"));
}

#[tokio::test]
async fn the_same_user_again_keeps_the_handle_and_the_values() {
    let clock = ManualClock::new();
    let (_, builder) = at(&clock);
    let manager = builder.build().unwrap();
    let first = signed_in(&manager, "ann").await;
    first.set("cart", &3).unwrap();
    first.commit().await.unwrap();

    clock.advance(DAY / 2);
    let again = open(&manager, first.id()).await;
    again.log_in_labelled("ann", "again").unwrap();
    again.commit().await.unwrap();
    assert_ne!(again.id(), first.id());
    assert!(!is_live(&manager, &first).await);
    assert_eq!(again.handle(), first.handle());
    assert_eq!(again.keys(), ["cart"]);
    assert_eq!(again.expires_in(), Some(DAY));
    let [listed] = &manager.user("ann").unwrap().sessions().await.unwrap()[..] else { panic!() };
    assert_eq!(listed.label.as_deref(), Some("again"));
    assert_eq!(listed.handle, first.handle().unwrap());
}

#[tokio::test]
async fn an_aborted_or_dropped_sign_in_leaves_everything_as_it_was() {
    let manager = manager();
    let before = manager.open(None).await.unwrap();
    before.set("cart", &3).unwrap();
    before.commit().await.unwrap();
    let other = signed_in(&manager, "bob").await;

    let presented = [before.id().unwrap(), other.id().unwrap()];
    let aborted = manager.open_first_of(&presented).await.unwrap();
    aborted.log_in("ann").unwrap();
    aborted.abort().await.unwrap();
    assert_eq!(aborted.user_id(), None);
    assert_eq!(aborted.keys(), ["cart"]);
    let dropped = manager.open_first_of(&presented).await.unwrap();
    dropped.log_in("ann").unwrap();
    drop(dropped);

    assert!(is_live(&manager, &before).await && is_live(&manager, &other).await);
    assert!(handles(&manager, "ann").await.is_empty());
}

#[tokio::test]
async fn a_sign_in_ends_every_other_session_that_was_presented() {
    let manager = manager();
    let plain = manager.open(None).await.unwrap();
    plain.set("cart", &3).unwrap();
    plain.commit().await.unwrap();
    let bob = signed_in(&manager, "bob").await;
    let ann = signed_in(&manager, "ann").await;
    let ids = [&plain, &bob, &ann].map(|session| session.id().unwrap());

    let session = manager.open_first_of(&ids).await.unwrap();
    session.log_in("ann").unwrap();
    assert!(is_live(&manager, &bob).await, "before the commit nothing ends");
    session.commit().await.unwrap();
    for ended in [&plain, &bob, &ann] {
        assert!(!is_live(&manager, ended).await);
    }
    assert!(handles(&manager, "bob").await.is_empty());
    assert_eq!(handles(&manager, "ann").await, [session.handle().unwrap()]);
}

#[tokio::test]
async fn a_sign_in_begins_another_session_if_the_one_of_before_has_ended() {
    let manager = manager();
    let before = signed_in(&manager, "ann").await;
    before.set("cart", &3).unwrap();
    before.commit().await.unwrap();

    let racing = open(&manager, before.id()).await;
    racing.log_in("ann").unwrap();
    let known = open(&manager, before.id()).await;
    known.set("x", &1).unwrap();
    manager.user("ann").unwrap().end_all().await.unwrap();

    assert_eq!(racing.commit().await.unwrap(), Outcome::Rotated);
    assert_eq!(open(&manager, racing.id()).await.user_id().as_deref(), Some("ann"));
    assert_eq!(handles(&manager, "ann").await, [racing.handle().unwrap()]);

    assert_eq!(known.commit().await.unwrap(), Outcome::Ended);
    known.log_in("ann").unwrap();
    assert_eq!(known.commit().await.unwrap(), Outcome::Created);
    assert_eq!(open(&manager, known.id()).await.user_id().as_deref(), Some("ann"));
}

#[tokio::test]
async fn two_sign_ins_of_one_session_both_succeed() {
    for user in [None, Some("ann")] {
        let manager = manager();
        let before = manager.open(None).await.unwrap();
        before.set("cart", &3).unwrap();
        if let Some(user) = user {
            before.log_in(user).unwrap();
        }
        before.commit().await.unwrap();
        let [one, two] = [open(&manager, before.id()).await, open(&manager, before.id()).await];
        for session in [&one, &two] {
            session.log_in("ann").unwrap();
            assert_eq!(session.commit().await.unwrap(), Outcome::Rotated);
        }
        assert_eq!(open(&manager, two.id()).await.keys(), ["cart"]);
        assert!(!is_live(&manager, &before).await);
        // A session that belonged to the user is still one session.
        assert_eq!(is_live(&manager, &one).await, user.is_none());
    }
}

#[tokio::test]
async fn a_sign_in_after_the_response_has_left_is_too_late() {
    let manager = manager();
    for presented in [None, signed_in(&manager, "bob").await.id()] {
        let session = manager.open(presented).await.unwrap();
        session.freeze_id();
        session.log_in("ann").unwrap();
        assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::TooLate);
        assert!(handles(&manager, "ann").await.is_empty());
        session.abort().await.unwrap();
    }
}

#[tokio::test]
async fn a_sign_in_after_a_destroy_is_another_session() {
    let manager = manager();
    let before = signed_in(&manager, "ann").await;
    before.set("cart", &3).unwrap();
    before.commit().await.unwrap();
    let session = open(&manager, before.id()).await;
    session.destroy();
    assert_eq!(session.user_id(), None);
    session.log_in("ann").unwrap();
    assert_ne!(session.handle(), before.handle());
    session.commit().await.unwrap();
    assert!(session.is_empty());
    assert!(!is_live(&manager, &before).await);
    assert_eq!(handles(&manager, "ann").await, [session.handle().unwrap()]);

    // A destroy after the sign-in takes it back.
    let taken_back = open(&manager, session.id()).await;
    taken_back.log_in("bob").unwrap();
    taken_back.destroy();
    assert_eq!(taken_back.commit().await.unwrap(), Outcome::Destroyed);
    assert!(handles(&manager, "ann").await.is_empty());
    assert!(handles(&manager, "bob").await.is_empty());
}

#[tokio::test]
async fn a_remembered_sign_in_is_listed_for_its_own_timeouts() {
    let clock = ManualClock::new();
    let (_, builder) = at(&clock);
    let manager = builder.build().unwrap();
    let month = 30 * DAY;
    for remembers_first in [true, false] {
        let session = manager.open(None).await.unwrap();
        if remembers_first {
            session.remember(month, 12 * month).unwrap();
        }
        session.log_in("ann").unwrap();
        if !remembers_first {
            session.remember(month, 12 * month).unwrap();
        }
        session.commit().await.unwrap();
        assert_eq!(session.expires_in(), Some(month));
    }
    let short = signed_in(&manager, "ann").await;
    assert_eq!(short.expires_in(), Some(DAY));
    clock.advance(20 * DAY);
    assert_eq!(handles(&manager, "ann").await.len(), 2);
    clock.advance(9 * DAY);
    assert_eq!(manager.user("ann").unwrap().end_all().await.unwrap(), 2);
}

#[tokio::test]
async fn update_stores_a_pending_sign_in_first() {
    let manager = manager();
    let session = manager.open(None).await.unwrap();
    session.log_in("ann").unwrap();
    session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await.unwrap();
    assert_eq!(handles(&manager, "ann").await, [session.handle().unwrap()]);
    assert_eq!(open(&manager, session.id()).await.keys(), ["n"]);
}

#[tokio::test]
async fn clearing_the_session_does_not_sign_out() {
    let manager = manager();
    let session = signed_in(&manager, "ann").await;
    session.set("cart", &3).unwrap();
    session.clear();
    session.commit().await.unwrap();
    assert_eq!(open(&manager, session.id()).await.user_id().as_deref(), Some("ann"));
    assert!(session.set("\0pycket:user", "bob").is_err());
}

#[tokio::test]
async fn a_first_sign_in_has_the_idle_timeout_of_the_application() {
    let clock = ManualClock::new();
    let (_, builder) = at(&clock);
    let manager = builder.build().unwrap();
    let session = signed_in(&manager, "ann").await;
    clock.advance(Duration::from_secs(60));
    assert_eq!(session.expires_in(), Some(DAY - Duration::from_secs(60)));
}
