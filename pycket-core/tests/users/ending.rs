use std::sync::Arc;

use pycket_core::{MemoryStore, Outcome, UserSessionHandle};

use crate::{handles, is_live, manager, open, over, signed_in};

const UNKNOWN: &str = "0193b3a47c1e4d2a9f005a1b2c3d4e5f";

#[tokio::test]
async fn end_ends_one_session_of_the_user() {
    let manager = manager();
    let [one, two] = [signed_in(&manager, "ann").await, signed_in(&manager, "ann").await];
    let other = signed_in(&manager, "bob").await;
    let sessions = manager.user("ann").unwrap();

    assert!(sessions.end(&one.handle().unwrap()).await.unwrap());
    assert!(!is_live(&manager, &one).await);
    assert_eq!(handles(&manager, "ann").await, [two.handle().unwrap()]);
    for unknown in [one.handle().unwrap(), other.handle().unwrap(), UNKNOWN.parse().unwrap()] {
        assert!(!sessions.end(&unknown).await.unwrap());
    }
    assert!(is_live(&manager, &two).await && is_live(&manager, &other).await);
    assert!(!manager.user("carol").unwrap().end(&one.handle().unwrap()).await.unwrap());
}

#[tokio::test]
async fn end_all_ends_every_session_of_the_user_and_no_other() {
    let store = Arc::new(MemoryStore::new());
    let manager = over(store.clone());
    let mut sessions = Vec::new();
    for _ in 0..40 {
        let session = signed_in(&manager, "ann").await;
        session.notifications().set("info", "Hello.").unwrap();
        session.commit().await.unwrap();
        sessions.push(session);
    }
    let other = signed_in(&manager, "bob").await;
    assert_eq!(manager.user("ann").unwrap().end_all().await.unwrap(), 40);
    for session in &sessions {
        assert!(!is_live(&manager, session).await);
    }
    assert!(handles(&manager, "ann").await.is_empty());
    assert_eq!(handles(&manager, "bob").await, [other.handle().unwrap()]);
    assert_eq!(manager.user("ann").unwrap().end_all().await.unwrap(), 0);

    // A request that is still running with one of them finds that it has ended.
    let late = &sessions[0];
    late.set("cart", &1).unwrap();
    assert_eq!(late.commit().await.unwrap(), Outcome::Ended);
}

#[tokio::test]
async fn end_all_except_keeps_the_given_session() {
    let manager = manager();
    let [one, two] = [signed_in(&manager, "ann").await, signed_in(&manager, "ann").await];
    let kept = open(&manager, two.id()).await;
    kept.cycle_id();
    kept.commit().await.unwrap();
    let sessions = kept.user_sessions().unwrap();
    assert_eq!(sessions.end_all_except(&kept).await.unwrap(), 1);
    assert!(!is_live(&manager, &one).await && is_live(&manager, &kept).await);

    let other = signed_in(&manager, "bob").await;
    assert_eq!(sessions.end_all_except(&other).await.unwrap(), 1);
    assert!(!is_live(&manager, &kept).await && is_live(&manager, &other).await);
}

#[tokio::test]
async fn a_sign_out_removes_the_session_from_the_list() {
    let manager = manager();
    let session = signed_in(&manager, "ann").await;
    let other = signed_in(&manager, "ann").await;
    let signing_out = open(&manager, session.id()).await;
    signing_out.destroy();
    assert_eq!(signing_out.user_id(), None);
    assert_eq!(signing_out.commit().await.unwrap(), Outcome::Destroyed);
    assert_eq!(handles(&manager, "ann").await, [other.handle().unwrap()]);
}

#[tokio::test]
async fn a_sign_out_ends_also_a_session_whose_id_has_changed() {
    for turn in 0..2 {
        let manager = manager();
        let session = signed_in(&manager, "ann").await;
        let signing_out = open(&manager, session.id()).await;
        let rotating = open(&manager, session.id()).await;
        match turn {
            0 => rotating.cycle_id(),
            _ => rotating.log_in("ann").unwrap(),
        }
        rotating.commit().await.unwrap();
        signing_out.destroy();
        signing_out.commit().await.unwrap();
        assert!(!is_live(&manager, &rotating).await);
        assert!(handles(&manager, "ann").await.is_empty());
    }
}

#[tokio::test]
async fn a_rotation_of_an_ended_session_ends_with_it() {
    let store = Arc::new(MemoryStore::new());
    let manager = over(store.clone());
    let session = signed_in(&manager, "ann").await;
    let rotating = open(&manager, session.id()).await;
    rotating.cycle_id();
    manager.user("ann").unwrap().end_all().await.unwrap();
    assert_eq!(rotating.commit().await.unwrap(), Outcome::Ended);
    assert!(handles(&manager, "ann").await.is_empty());
}

#[tokio::test]
async fn a_dropped_sign_out_is_carried_out() {
    let manager = manager();
    let session = signed_in(&manager, "ann").await;
    let dropped = open(&manager, session.id()).await;
    dropped.destroy();
    drop(dropped);
    while is_live(&manager, &session).await {
        tokio::task::yield_now().await;
    }
    while !handles(&manager, "ann").await.is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn end_all_runs_to_its_end_if_its_caller_is_dropped() {
    let store = Arc::new(MemoryStore::new());
    let plain = over(store.clone());
    let session = signed_in(&plain, "ann").await;
    let paused = over(Arc::new(pycket_testkit::PausingStore::new(store)));
    let sessions = paused.user("ann").unwrap();
    let mut ending = Box::pin(sessions.end_all());
    let waker = std::task::Waker::noop();
    assert!(ending.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    drop(ending);
    while is_live(&plain, &session).await {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_handle_is_written_and_read_as_text() {
    let handle: UserSessionHandle = UNKNOWN.parse().unwrap();
    assert_eq!(handle.to_string(), UNKNOWN);
    assert_eq!(format!("{handle:?}"), format!("UserSessionHandle({UNKNOWN})"));
    let json = serde_json::to_string(&handle).unwrap();
    assert_eq!(json, format!("\"{UNKNOWN}\""));
    assert_eq!(serde_json::from_str::<UserSessionHandle>(&json).unwrap(), handle);
    let upper = UNKNOWN.to_uppercase();
    for wrong in ["", "0193b3a4", &upper, "0193b3a4-7c1e-4d2a-9f00-5a1b2c3d4e5f"] {
        assert!(wrong.parse::<UserSessionHandle>().is_err(), "{wrong}");
    }
}
