//! Requests that the server got and whose answers nobody got.

use pycket_core::Outcome;
use pycket_testkit::NetworkFault;

use crate::*;

use ErrorKind::{Ambiguous, Unavailable};

/// A store, and what is between it and its server.
struct Lossy {
    store: MemcacheStore,
    proxy: FaultProxy,
    fault: NetworkFault,
}

impl Lossy {
    /// So many answers come, and the next one is lost.
    fn new(answers: usize, fault: NetworkFault) -> Self {
        let proxy = FaultProxy::new(shared().address());
        proxy.fail_answer(answers, fault);
        Self { store: over(&proxy), proxy, fault }
    }

    /// What the call fails with, if it does.
    async fn kind<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Option<ErrorKind> {
        let answer = match self.fault {
            NetworkFault::Swallow => self.proxy.fast_forward(call).await,
            _ => call.await,
        };
        answer.err().map(|error| error.kind())
    }
}

/// The connection of one is cut, the other's falls silent.
fn stores(answers: usize) -> [Lossy; 2] {
    [NetworkFault::Cut, NetworkFault::Swallow].map(|fault| Lossy::new(answers, fault))
}

#[tokio::test]
async fn a_create_is_ambiguous_and_may_have_happened() {
    for lossy in stores(0) {
        let store = &lossy.store;
        let id = SessionId::generate();
        let new = record([("name", "value")]);
        assert_eq!(lossy.kind(store.create(&id, &new, HOUR)).await, Some(Ambiguous));
        assert_eq!(store.create(&id, &new, HOUR).await.unwrap(), Creation::Taken);
        assert_eq!(stored(store, &id).await, Some(new));
    }
}

#[tokio::test]
async fn an_update_whose_look_at_the_record_is_lost_surely_did_not_happen() {
    let id = put(&store(shared()), &record([])).await;
    let [cut, muted] = stores(0);
    let changes = set("name", "value");
    assert_eq!(muted.kind(muted.store.update(&id, &changes, None)).await, Some(Unavailable));
    assert_eq!(stored(&muted.store, &id).await, Some(record([])));
    // Where the connection was cut the look is repeated.
    assert_eq!(cut.store.update(&id, &changes, None).await.unwrap(), Update::Applied);
    assert_eq!(stored(&cut.store, &id).await, Some(record([("name", "value")])));
}

#[tokio::test]
async fn an_update_whose_swap_is_not_answered_is_ambiguous_and_may_have_happened() {
    for lossy in stores(1) {
        let store = &lossy.store;
        let id = put(&crate::store(shared()), &record([])).await;
        let answer = lossy.kind(store.update(&id, &set("name", "value"), None)).await;
        assert_eq!(answer, Some(Ambiguous));
        assert_eq!(stored(store, &id).await, Some(record([("name", "value")])));
    }
}

#[tokio::test]
async fn a_touch_that_is_not_answered_is_ambiguous_and_may_have_happened() {
    for lossy in stores(1) {
        let store = &lossy.store;
        let id = put_for(&crate::store(shared()), &record([]), ttl(60_000)).await;
        let answer = lossy.kind(store.update(&id, &Changes::new(), Some(HOUR))).await;
        assert_eq!(answer, Some(Ambiguous));
        assert!(store.load(&id).await.unwrap().unwrap().expires_in > Duration::from_secs(3000));
    }
}

#[tokio::test]
async fn a_delete_that_is_not_answered_is_ambiguous_and_may_have_happened() {
    for lossy in stores(1) {
        let store = &lossy.store;
        let id = put(&crate::store(shared()), &record([])).await;
        assert_eq!(lossy.kind(store.delete(&id)).await, Some(Ambiguous));
        assert_eq!(stored(store, &id).await, None);
    }
}

#[tokio::test]
async fn a_load_over_a_connection_that_is_cut_is_repeated() {
    let id = put(&store(shared()), &record([])).await;
    let [cut, muted] = stores(0);
    assert_eq!(stored(&cut.store, &id).await, Some(record([])));
    assert_eq!(muted.kind(muted.store.load(&id)).await, Some(Unavailable));
}

#[tokio::test]
async fn a_session_finds_out_what_became_of_its_changes() {
    let id = put(&store(shared()), &record([])).await;
    // The session has read twice by then: once when it was opened, and once for the swap.
    let Lossy { store, proxy: _proxy, .. } = Lossy::new(2, NetworkFault::Cut);
    let manager = manager(store);
    let session = open(&manager, id).await;
    session.set("name", "value").unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
    assert_eq!(open(&manager, id).await.require::<String>("name").unwrap(), "value");
}

#[tokio::test]
async fn an_increment_never_counts_twice() {
    let id = put(&store(shared()), &record([])).await;
    let Lossy { store, proxy: _proxy, .. } = Lossy::new(2, NetworkFault::Cut);
    let manager = manager(store);
    let session = open(&manager, id).await;
    let answer = session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await;
    assert_eq!(answer.unwrap_err().kind(), Ambiguous);
    assert_eq!(open(&manager, id).await.require::<u32>("n").unwrap(), 1);
}
