//! Lost replies: the session resolves them or returns `Ambiguous`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pycket_core::{
    Error, ErrorKind, Event, Expiry, IdChange, MemoryStore, Outcome, Renew, Session,
    SessionManager, SessionStore,
};
use pycket_testkit::{Fault, FaultyStore, ManualClock, PausingStore, every_order};

use crate::events::observed;
use crate::notifications::notified;
use crate::{now, open, over, stored};

const HALF_A_DAY: Duration = Duration::from_secs(12 * 3600);

fn faulty() -> (Arc<FaultyStore>, Arc<MemoryStore>, SessionManager) {
    let inner = Arc::new(MemoryStore::new());
    let store = Arc::new(FaultyStore::new(inner.clone()));
    (store.clone(), inner, over(store))
}

#[tokio::test]
async fn create_with_a_lost_reply_stores_exactly_one_session() {
    for fault in [Fault::Lost, Fault::After] {
        let (store, inner, manager) = faulty();
        let session = manager.open(None).await.unwrap();
        session.set("user", "ann").unwrap();
        store.fail_nth(0, fault);
        assert_eq!(session.commit().await.unwrap(), Outcome::Created);
        assert_eq!(inner.len(), 1);
        assert_eq!(open(&manager, session.id().unwrap()).await.keys(), ["user"]);
    }
}

#[tokio::test]
async fn what_a_lost_create_stored_is_deleted_also_if_the_delete_is_lost() {
    let (store, inner, manager) = faulty();
    let session = manager.open(None).await.unwrap();
    session.set("user", "ann").unwrap();
    // The create, a create under another id, the delete under the first id.
    store.fail_nth(0, Fault::After);
    store.fail_nth(2, Fault::Lost);
    assert_eq!(session.commit().await.unwrap(), Outcome::Created);
    assert_eq!(inner.len(), 1);
    assert_eq!(open(&manager, session.id().unwrap()).await.keys(), ["user"]);
}

#[tokio::test]
async fn update_with_a_lost_reply_is_stored_once() {
    for fault in [Fault::Lost, Fault::After] {
        let (store, _, manager) = faulty();
        let id = stored(&manager).await;
        let session = open(&manager, id).await;
        session.set("age", &30).unwrap();
        session.delete(["user"]);
        store.fail_nth(0, fault);
        assert_eq!(session.commit().await.unwrap(), Outcome::Updated, "{fault:?}");
        assert_eq!(open(&manager, id).await.keys(), ["age"]);
    }
}

#[tokio::test]
async fn update_whose_repetition_is_lost_too_is_stored() {
    let (store, _, manager) = faulty();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.set("cart", &1).unwrap();
    // The update, a load, the update again.
    store.fail_nth(0, Fault::Lost);
    store.fail_nth(2, Fault::Lost);
    assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
    assert_eq!(open(&manager, id).await.require::<u8>("cart").unwrap(), 1);
}

#[tokio::test]
async fn lost_update_does_not_overwrite_another_writer() {
    let (store, _, manager) = faulty();
    let id = stored(&manager).await;
    let late = open(&manager, id).await;
    late.set("user", "late").unwrap();
    let other = open(&manager, id).await;
    other.set("user", "other").unwrap();
    other.commit().await.unwrap();

    store.fail_nth(0, Fault::Lost);
    assert_eq!(late.commit().await.unwrap_err().kind(), ErrorKind::Ambiguous);
    assert_eq!(open(&manager, id).await.require::<String>("user").unwrap(), "other");
}

/// The session cannot know whether the update came before its end, and what became of it then.
#[tokio::test]
async fn update_of_an_ended_session_with_a_lost_reply_is_ambiguous() {
    let (store, _, manager) = faulty();
    let id = stored(&manager).await;
    let late = open(&manager, id).await;
    late.set("age", &30).unwrap();
    let logout = open(&manager, id).await;
    logout.destroy();
    logout.commit().await.unwrap();
    store.fail_nth(0, Fault::After);
    assert_eq!(late.commit().await.unwrap_err().kind(), ErrorKind::Ambiguous);
    assert_eq!(late.commit().await.unwrap(), Outcome::Ended);
    assert!(open(&manager, id).await.is_new());
}

#[tokio::test]
async fn increment_with_a_lost_request_counts_once() {
    let (store, _, manager) = faulty();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    store.fail_nth(0, Fault::Lost);
    assert_eq!(session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await.unwrap(), 1);
    assert_eq!(open(&manager, id).await.require::<u32>("n").unwrap(), 1);
}

#[tokio::test]
async fn increment_with_a_lost_reply_is_ambiguous_and_counts_once() {
    let (store, _, manager) = faulty();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    store.fail_nth(0, Fault::After);
    let error = session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    assert_eq!(open(&manager, id).await.require::<u32>("n").unwrap(), 1);
}

#[tokio::test]
async fn write_that_did_not_happen_is_not_repeated() {
    let (store, _, manager) = faulty();
    let id = stored(&manager).await;
    let write = open(&manager, id).await;
    write.set("age", &30).unwrap();
    let increment = open(&manager, id).await;
    let calls = store.calls();
    store.fail_nth(0, Fault::Before);
    assert_eq!(write.commit().await.unwrap_err().kind(), ErrorKind::Unavailable);
    store.fail_nth(0, Fault::Before);
    let error = increment.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(store.calls(), calls + 2);
    assert_eq!(open(&manager, id).await.keys(), ["user"]);
}

/// A change whose reply is lost, beside a request that changes the id. The rotation may have carried the change over,
/// so it is not certain that it is not stored.
fn is_never_refused_beside_a_rotation<C>(change: impl Fn(Session) -> C)
where
    C: Future<Output = Result<Outcome, Error>> + Send + 'static,
{
    let setup = || {
        let (faulty, inner, _) = faulty();
        let id = now(stored(&over(inner.clone())));
        let opened =
            |store: Arc<dyn SessionStore>| now(open(&over(Arc::new(PausingStore::new(store))), id));
        let (changing, rotating) = (opened(faulty.clone()), opened(inner));
        faulty.fail_nth(0, Fault::After);
        (changing, rotating, Arc::new(Mutex::new(None)))
    };
    every_order(
        setup,
        |(changing, rotating, result)| {
            let (changing, rotating, result) =
                (change(changing.clone()), rotating.clone(), result.clone());
            rotating.cycle_id();
            let change = async move {
                *result.lock().unwrap() = Some(changing.await.map_err(|error| error.kind()));
            };
            let rotate = async move {
                rotating.commit().await.unwrap();
            };
            vec![Box::pin(change), Box::pin(rotate)]
        },
        |(_, _, result)| {
            let result = result.lock().unwrap().unwrap();
            let is_honest = matches!(result, Ok(Outcome::Updated) | Err(ErrorKind::Ambiguous));
            assert!(is_honest, "{result:?}");
        },
    );
}

#[test]
fn in_every_order_a_lost_increment_beside_a_rotation_is_not_refused() {
    is_never_refused_beside_a_rotation(|session| async move {
        session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await.map(|_| Outcome::Updated)
    });
}

#[test]
fn in_every_order_a_lost_update_beside_a_rotation_is_not_refused() {
    is_never_refused_beside_a_rotation(|session| async move {
        session.set("n", &1)?;
        session.commit().await
    });
}

#[tokio::test]
async fn create_that_may_have_succeeded_is_ambiguous() {
    let (store, _, manager) = faulty();
    let session = manager.open(None).await.unwrap();
    session.set("user", "ann").unwrap();
    store.fail_nth(0, Fault::After);
    store.fail_nth(1, Fault::Before);
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::Ambiguous);
}

#[tokio::test]
async fn destroy_without_any_reply_is_repeated_by_the_next_commit() {
    let (store, records, manager) = faulty();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.destroy();
    for n in 0..3 {
        store.fail_nth(n, Fault::Lost);
    }
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::Ambiguous);
    assert!(records.load(&id).await.unwrap().is_some());
    assert_eq!(session.commit().await.unwrap(), Outcome::Destroyed);
    assert_eq!(records.load(&id).await.unwrap(), None);
}

#[tokio::test]
async fn destroy_with_lost_replies_also_deletes_the_notifications() {
    // After one the destroy finds that the record is gone, after three the next commit does.
    for lost in [1, 3] {
        let (store, records, manager) = faulty();
        let session = open(&manager, notified(&manager, "info", "saved").await).await;
        session.destroy();
        for n in 0..lost {
            store.fail_nth(n, Fault::After);
        }
        if lost == 3 {
            assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::Ambiguous);
        }
        assert_eq!(session.commit().await.unwrap(), Outcome::Destroyed);
        assert!(records.is_empty());
    }
}

/// As [`faulty`], with a clock for all of it.
pub(crate) fn faulty_at(expiry: Expiry) -> (ManualClock, Arc<FaultyStore>, SessionManager) {
    let clock = ManualClock::new();
    let inner = MemoryStore::builder().clock(clock.clone()).build().unwrap();
    let store = Arc::new(FaultyStore::new(Arc::new(inner)));
    let builder = SessionManager::builder(store.clone()).expiry(expiry).clock(clock.clone());
    (clock, store, builder.build().unwrap())
}

#[tokio::test]
async fn renewal_with_a_lost_reply_is_repeated() {
    for fault in [Fault::Lost, Fault::After] {
        let expiry = Expiry::builder().renew(Renew::OnAccess).build().unwrap();
        let (clock, store, manager) = faulty_at(expiry);
        let id = stored(&manager).await;
        clock.advance(HALF_A_DAY);
        let reader = open(&manager, id).await;
        store.fail_nth(0, fault);
        assert_eq!(reader.commit().await.unwrap(), Outcome::Touched);
        assert_eq!(reader.expires_in(), Some(2 * HALF_A_DAY));
        assert_eq!(open(&manager, id).await.expires_in(), Some(2 * HALF_A_DAY));
    }
}

#[tokio::test]
async fn renewal_that_stays_unknown_is_reported_and_not_claimed() {
    let expiry = Expiry::builder().renew(Renew::OnAccess).build().unwrap();
    let (clock, store, manager) = faulty_at(expiry);
    let (manager, events) = observed(manager);
    let id = stored(&manager).await;
    clock.advance(HALF_A_DAY);
    let reader = open(&manager, id).await;
    events.take();
    store.fail_nth(0, Fault::Lost);
    store.fail_nth(1, Fault::Lost);
    assert_eq!(reader.commit().await.unwrap(), Outcome::Unchanged);
    assert_eq!(events.take(), [Event::RenewalFailed]);
    assert_eq!(reader.expires_in(), Some(HALF_A_DAY));
    assert_eq!(reader.id_change(), IdChange::Unchanged);
}

/// Another client has stored the same value, so the value alone does not show what became of our call.
#[tokio::test]
async fn lost_update_of_a_value_that_is_stored_already_renews_the_session() {
    for fault in [Fault::Lost, Fault::After] {
        let (clock, store, manager) = faulty_at(Expiry::default());
        let id = stored(&manager).await;
        let session = open(&manager, id).await;
        let other = open(&manager, id).await;
        other.set("user", "bob").unwrap();
        other.commit().await.unwrap();
        clock.advance(HALF_A_DAY);
        session.set("user", "bob").unwrap();
        store.fail_nth(0, fault);
        assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
        assert_eq!(session.expires_in(), Some(2 * HALF_A_DAY));
        assert_eq!(open(&manager, id).await.expires_in(), Some(2 * HALF_A_DAY));
    }
}

#[tokio::test]
async fn lost_update_of_a_value_that_is_stored_already_writes_its_ttl() {
    let expiry = Expiry::builder().idle_timeout(2 * HALF_A_DAY);
    let (clock, store, manager) =
        faulty_at(expiry.absolute_timeout(3 * HALF_A_DAY).build().unwrap());
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    let other = open(&manager, id).await;
    other.set("user", "bob").unwrap();
    other.commit().await.unwrap();
    clock.advance(3 * HALF_A_DAY / 2);
    session.set("user", "bob").unwrap();
    store.fail_nth(0, Fault::Lost);
    assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
    let record = store.load(&id).await.unwrap().unwrap().record;
    let granted = record.metadata().granted.unwrap();
    assert_eq!(granted.as_duration(), 3 * HALF_A_DAY / 2, "until the absolute timeout");
}

#[tokio::test]
async fn lost_update_whose_renewal_fails_is_ambiguous() {
    let (clock, store, manager) = faulty_at(Expiry::default());
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    let other = open(&manager, id).await;
    other.set("user", "bob").unwrap();
    other.commit().await.unwrap();
    clock.advance(HALF_A_DAY);
    session.set("user", "bob").unwrap();
    store.fail_nth(0, Fault::Lost);
    store.fail_nth(2, Fault::Before);
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::Ambiguous);
    assert_eq!(session.expires_in(), Some(HALF_A_DAY));
    // The next commit completes it.
    assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
    assert_eq!(open(&manager, id).await.expires_in(), Some(2 * HALF_A_DAY));
}

/// No time passes, so the record has the whole ttl.
#[tokio::test]
async fn stored_update_with_a_lost_reply_costs_one_load() {
    let (_, store, manager) = faulty_at(Expiry::default());
    let session = open(&manager, stored(&manager).await).await;
    session.set("cart", &1).unwrap();
    let before = store.calls();
    store.fail_nth(0, Fault::After);
    assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
    assert_eq!(store.calls() - before, 2);
}
