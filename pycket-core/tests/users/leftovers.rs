//! What a crash, a fault or a concurrent request leaves of a user's session, and what later requests make of it.

use std::mem;
use std::sync::Arc;

use pycket_core::{Expiry, MemoryStore, Outcome, Session, SessionManager, SessionStore};
use pycket_testkit::{Calls, CountingStore, Fault, FaultyStore, ManualClock};

use crate::watched::Watched;
use crate::{DAY, handles, is_live, open, over, signed_in};

/// Two live ids of one session: the server crashed while it changed the id. The later one is the second.
async fn with_two_ids(store: &Arc<impl SessionStore>) -> [Session; 2] {
    let first = signed_in(&over(store.clone()), "ann").await;
    let faulty = Arc::new(FaultyStore::new(store.clone()));
    let rotating = open(&over(faulty.clone()), first.id()).await;
    rotating.cycle_id();
    for attempt in 0..3 {
        faulty.fail_nth(2 + attempt, Fault::Lost);
    }
    assert!(rotating.commit().await.is_err());
    // A dropped session would delete the old id.
    mem::forget(rotating.clone());
    assert!(is_live(&over(store.clone()), &first).await);
    [first, rotating]
}

/// A sign-in of a client that presents both ids.
async fn ends_both_and_not_itself(store: Arc<impl SessionStore>, both: [Session; 2]) {
    let manager = over(store);
    let ids = both.each_ref().map(|session| session.id().unwrap());
    let session = manager.open_first_of(&ids).await.unwrap();
    session.log_in("ann").unwrap();
    session.commit().await.unwrap();
    assert!(is_live(&manager, &session).await);
    assert!(!is_live(&manager, &both[0]).await && !is_live(&manager, &both[1]).await);
    assert_eq!(handles(&manager, "ann").await, [session.handle().unwrap()]);
}

#[tokio::test]
async fn a_sign_in_with_both_ids_of_a_session_ends_them_and_not_itself() {
    for newest_first in [true, false] {
        let store = Arc::new(MemoryStore::new());
        let mut both = with_two_ids(&store).await;
        if newest_first {
            both.reverse();
        }
        ends_both_and_not_itself(store, both).await;
    }
}

/// The index then lists only the id that was opened, so the other one is deleted as another session of the client.
#[tokio::test]
async fn after_an_eviction_a_sign_in_with_both_ids_does_not_end_itself() {
    let store = Arc::new(Watched::new(&ManualClock::new()));
    let both = with_two_ids(&store).await;
    store.evict().await;
    ends_both_and_not_itself(store, both).await;
}

#[tokio::test]
async fn a_sign_out_or_end_all_ends_both_ids_of_a_session() {
    for signs_out_with in [None, Some(0), Some(1)] {
        let store = Arc::new(MemoryStore::new());
        let both = with_two_ids(&store).await;
        let manager = over(store);
        match signs_out_with {
            Some(nth) => {
                let session = open(&manager, both[nth].id()).await;
                session.destroy();
                assert_eq!(session.commit().await.unwrap(), Outcome::Destroyed);
            }
            None => drop(manager.user("ann").unwrap().end_all().await.unwrap()),
        }
        assert!(!is_live(&manager, &both[0]).await && !is_live(&manager, &both[1]).await);
    }
}

#[tokio::test]
async fn a_new_id_that_cannot_be_withdrawn_is_deleted_by_the_next_commit() {
    let store = Arc::new(MemoryStore::new());
    let faulty = Arc::new(FaultyStore::new(store.clone()));
    let manager = over(faulty.clone());
    let session = manager.open(None).await.unwrap();
    session.log_in("ann").unwrap();
    // The index cannot be loaded, and the new record not be deleted.
    for call in [1, 2] {
        faulty.fail_nth(call, Fault::Before);
    }
    assert!(session.commit().await.is_err());
    assert_eq!(store.len(), 1);
    assert_eq!(session.abort().await.unwrap(), Outcome::Unchanged);
    assert!(store.is_empty());
}

#[tokio::test]
async fn a_rotation_beside_a_renewal_leaves_a_record_that_agrees_with_the_index() {
    let clock = ManualClock::new();
    let memory = MemoryStore::builder().clock(clock.clone()).build().unwrap();
    let store = Arc::new(CountingStore::new(Arc::new(memory)));
    let expiry = Expiry::builder().idle_timeout(DAY).build().unwrap();
    let builder = SessionManager::builder(store.clone()).clock(clock.clone()).expiry(expiry);
    let manager = builder.build().unwrap();
    let session = signed_in(&manager, "ann").await;
    let rotating = open(&manager, session.id()).await;

    clock.advance(DAY / 2);
    let renewing = open(&manager, session.id()).await;
    renewing.set("x", &1).unwrap();
    renewing.commit().await.unwrap();
    rotating.cycle_id();
    rotating.commit().await.unwrap();
    assert!(rotating.contains("x"), "what the other request wrote is carried over");

    // The next change of the id need not load the index, because the record says what it lists.
    let next = open(&manager, rotating.id()).await;
    store.take();
    next.cycle_id();
    next.commit().await.unwrap();
    assert_eq!(store.take(), Calls { create: 1, update: 1, delete: 1, ..Calls::default() });
    // And the sign-out deletes all three ids.
    next.destroy();
    next.commit().await.unwrap();
    assert_eq!(store.take(), Calls { update: 1, delete: 3, ..Calls::default() });
}

#[tokio::test]
async fn two_rotations_at_once_leave_no_id_listed_for_ever() {
    let store = Arc::new(CountingStore::new(Arc::new(MemoryStore::new())));
    let manager = over(store.clone());
    let mut id = signed_in(&manager, "ann").await.id();
    for _ in 0..30 {
        let [one, two] = [open(&manager, id).await, open(&manager, id).await];
        for session in [&one, &two] {
            session.cycle_id();
            session.commit().await.unwrap();
        }
        id = one.id();
    }
    let session = open(&manager, id).await;
    store.take();
    session.destroy();
    session.commit().await.unwrap();
    let deletes = store.take().delete;
    assert!(deletes <= 12, "{deletes}");
}
