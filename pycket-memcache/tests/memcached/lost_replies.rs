//! Requests that the server receives and whose replies are lost.

use pycket_core::Outcome;
use pycket_testkit::servers::NetworkFault;

use crate::*;

use ErrorKind::{Ambiguous, Unavailable};

/// A store that reaches its server through a proxy.
struct Lossy {
    store: MemcacheStore,
    proxy: FaultProxy,
    fault: NetworkFault,
}

impl Lossy {
    /// Loses the reply after this many replies.
    fn new(replies: usize, fault: NetworkFault) -> Self {
        let proxy = FaultProxy::new(shared().address());
        proxy.fail_answer(replies, fault);
        Self { store: through(&proxy), proxy, fault }
    }

    /// The kind of the error of the call, if it fails.
    async fn kind<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Option<ErrorKind> {
        let answer = match self.fault {
            NetworkFault::Swallow => self.proxy.fast_forward(call).await,
            _ => call.await,
        };
        answer.err().map(|error| error.kind())
    }
}

/// The proxy of the first cuts the connection, that of the second swallows the reply.
fn stores(replies: usize) -> [Lossy; 2] {
    [NetworkFault::Cut, NetworkFault::Swallow].map(|fault| Lossy::new(replies, fault))
}

#[tokio::test]
async fn create_without_a_reply_is_ambiguous() {
    for lossy in stores(0) {
        let store = &lossy.store;
        let id = SessionId::generate();
        let new = record([("name", "value")]);
        assert_eq!(lossy.kind(store.create(&id, &new, HOUR)).await, Some(Ambiguous));
        assert_eq!(store.create(&id, &new, HOUR).await.unwrap(), Creation::Taken);
        assert_eq!(stored(store, &id).await, Some(new));
    }
}

/// The id is taken, and the driver reads whether the record has expired.
#[tokio::test]
async fn create_whose_read_gets_no_reply_fails_cleanly_or_is_repeated() {
    let id = put(&store(shared()), &record([])).await;
    let [cut, swallowed] = stores(1);
    let created = swallowed.kind(swallowed.store.create(&id, &record([]), HOUR)).await;
    assert_eq!(created, Some(Unavailable));
    assert_eq!(cut.store.create(&id, &record([]), HOUR).await.unwrap(), Creation::Taken);
}

#[tokio::test]
async fn update_whose_read_gets_no_reply_fails_cleanly_or_is_repeated() {
    let id = put(&store(shared()), &record([])).await;
    let [cut, swallowed] = stores(0);
    let changes = set("name", "value");
    assert_eq!(
        swallowed.kind(swallowed.store.update(&id, &changes, None)).await,
        Some(Unavailable)
    );
    assert_eq!(stored(&swallowed.store, &id).await, Some(record([])));
    // If the connection was cut, the read is repeated.
    assert_eq!(cut.store.update(&id, &changes, None).await.unwrap(), Update::Applied);
    assert_eq!(stored(&cut.store, &id).await, Some(record([("name", "value")])));
}

#[tokio::test]
async fn update_whose_write_gets_no_reply_is_ambiguous() {
    for lossy in stores(1) {
        let store = &lossy.store;
        let id = put(&crate::store(shared()), &record([])).await;
        let answer = lossy.kind(store.update(&id, &set("name", "value"), None)).await;
        assert_eq!(answer, Some(Ambiguous));
        assert_eq!(stored(store, &id).await, Some(record([("name", "value")])));
    }
}

#[tokio::test]
async fn touch_without_a_reply_is_ambiguous() {
    for lossy in stores(1) {
        let store = &lossy.store;
        let id = put_for(&crate::store(shared()), &record([]), ttl(60_000)).await;
        let answer = lossy.kind(store.update(&id, &Changes::new(), Some(HOUR))).await;
        assert_eq!(answer, Some(Ambiguous));
        assert!(store.load(&id).await.unwrap().unwrap().expires_in > Duration::from_secs(3000));
    }
}

#[tokio::test]
async fn delete_without_a_reply_is_ambiguous() {
    for lossy in stores(1) {
        let store = &lossy.store;
        let id = put(&crate::store(shared()), &record([])).await;
        assert_eq!(lossy.kind(store.delete(&id)).await, Some(Ambiguous));
        assert_eq!(stored(store, &id).await, None);
    }
}

#[tokio::test]
async fn load_is_repeated_when_its_connection_is_cut() {
    let id = put(&store(shared()), &record([])).await;
    let [cut, swallowed] = stores(0);
    assert_eq!(stored(&cut.store, &id).await, Some(record([])));
    assert_eq!(swallowed.kind(swallowed.store.load(&id)).await, Some(Unavailable));
}

/// Within the first line, or within the value.
#[tokio::test]
async fn load_is_repeated_when_its_reply_is_cut_short() {
    let id = put(&store(shared()), &record([])).await;
    for after in [1, 10, 20, 35, 45] {
        let lossy = Lossy::new(0, NetworkFault::Truncate { after });
        assert_eq!(stored(&lossy.store, &id).await, Some(record([])));
        assert_eq!(lossy.proxy.connections(), 2);
    }
}

#[tokio::test]
async fn session_resolves_a_commit_without_a_reply() {
    let id = put(&store(shared()), &record([])).await;
    // The session has read once before, when it was opened.
    let Lossy { store, proxy: _proxy, .. } = Lossy::new(1, NetworkFault::Cut);
    let manager = manager(store);
    let session = open(&manager, id).await;
    session.set("name", "value").unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
    assert_eq!(open(&manager, id).await.require::<String>("name").unwrap(), "value");
}

#[tokio::test]
async fn increment_without_a_reply_counts_once() {
    let id = put(&store(shared()), &record([])).await;
    let Lossy { store, proxy: _proxy, .. } = Lossy::new(1, NetworkFault::Cut);
    let manager = manager(store);
    let session = open(&manager, id).await;
    let answer = session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await;
    assert_eq!(answer.unwrap_err().kind(), Ambiguous);
    assert_eq!(open(&manager, id).await.require::<u32>("n").unwrap(), 1);
}
