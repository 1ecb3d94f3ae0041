//! Writes that wait for replicas, many at a time: they are gathered while others wait, and then share one WAIT.
//!
//! The replica holds still, so that nothing is confirmed before the test says so.

use std::pin::Pin;

use pycket_core::Error;
use tokio::task::yield_now;
use tokio::time::{Instant, pause, sleep};

use crate::operator::{Operator, until};
use crate::*;

use ErrorKind::{Ambiguous, Corrupt};

/// A primary, its replica, and a store with one connection that waits for that.
async fn pair() -> (Pair, RedisStore) {
    let (primary, replica) = (Server::redis(), Server::redis());
    let mut operator = Operator::of(&primary);
    operator.is_followed_by(&replica).await;
    let store = waiting(&primary.url()).build().unwrap();
    // Connected, and the server knows the scripts.
    assert_served(&store, SessionId::generate()).await;
    assert_eq!(write(&store, &SessionId::generate()).await.unwrap(), Update::Ended);
    (Pair { primary, replica, operator }, store)
}

struct Pair {
    primary: Server,
    replica: Server,
    operator: Operator,
}

impl Pair {
    /// A write that has been sent, and waits for the replica.
    async fn held<F: Future>(&mut self, write: F) -> Pin<Box<F>> {
        self.replica.pause();
        let write = begun(write).await;
        until("it waits", || self.operator.waiting().len() == 1).await;
        write
    }

    /// How often somebody has waited.
    fn waits(&mut self) -> usize {
        let stats: String = self.operator.order("INFO commandstats");
        let (_, calls) = stats.split_once("cmdstat_wait:calls=").unwrap();
        calls.split(',').next().unwrap().parse().unwrap()
    }
}

async fn write(store: &RedisStore, id: &SessionId) -> Result<Update, Error> {
    store.update(id, &set("name", "other"), Some(HOUR)).await
}

#[tokio::test]
async fn writes_that_wait_share_one_wait() {
    const WRITES: usize = 200;
    let (mut pair, store) = pair().await;
    let id = put(&store, &record([])).await;
    let before = pair.waits();
    let first = pair.held(write(&store, &id)).await;
    let mut others = Vec::new();
    for _ in 0..WRITES {
        others.push(begun(write(&store, &id)).await);
        // One that did not have to be gathered would be on its way now.
        for _ in 0..3 {
            yield_now().await;
        }
    }
    pair.replica.resume();
    assert_eq!(first.await.unwrap(), Update::Applied);
    for other in others {
        assert_eq!(other.await.unwrap(), Update::Applied);
    }
    assert_eq!(pair.waits() - before, 2, "one for the first, and one for all others");
}

#[tokio::test]
async fn writes_that_share_a_wait_have_each_its_own_answer() {
    let (mut pair, store) = pair().await;
    let [first, kept, deleted, broken] = [(); 4].map(|()| SessionId::generate());
    for id in [first, kept, deleted] {
        let created = store.create(&id, &record([("of", &key(&id))]), HOUR).await;
        assert_eq!(created.unwrap(), Creation::Created);
    }
    let _: usize = pair.operator.order(&format!("RPUSH {} element", key(&broken)));
    let absent = SessionId::generate();

    let before = pair.waits();
    let first = pair.held(write(&store, &first)).await;
    let gone = begun(write(&store, &absent)).await;
    let corrupt = begun(write(&store, &broken)).await;
    let removed = begun(store.delete(&deleted)).await;
    let (none, hour) = (record([]), HOUR);
    let taken = begun(store.create(&kept, &none, hour)).await;
    let applied = begun(write(&store, &kept)).await;
    pair.replica.resume();
    assert_eq!(first.await.unwrap(), Update::Applied);
    assert_eq!(gone.await.unwrap(), Update::Ended);
    assert_eq!(corrupt.await.unwrap_err().kind(), Corrupt);
    assert_eq!(removed.await.unwrap(), Some(record([("of", &key(&deleted))])));
    assert_eq!(taken.await.unwrap(), Creation::Taken);
    assert_eq!(applied.await.unwrap(), Update::Applied);
    assert_eq!(pair.waits() - before, 2);
}

#[tokio::test]
async fn what_no_replica_confirms_is_ambiguous_and_what_one_confirms_later_is_not() {
    let (mut pair, store) = pair().await;
    let ids = [put(&store, &record([])).await, put(&store, &record([])).await];
    let first = pair.held(write(&store, &ids[0])).await;
    let second = begun(write(&store, &ids[1])).await;
    pair.operator.end_waiting();
    assert_eq!(first.await.unwrap_err().kind(), Ambiguous);
    pair.replica.resume();
    assert_eq!(second.await.unwrap(), Update::Applied);
}

#[tokio::test]
async fn a_write_that_is_dropped_while_others_wait_takes_no_answer_from_them() {
    let (mut pair, store) = pair().await;
    let mut ids = Vec::new();
    for of in ["first", "second", "third", "fourth"] {
        ids.push(put(&store, &record([("of", of)])).await);
    }
    let first = pair.held(store.delete(&ids[0])).await;
    let second = begun(store.delete(&ids[1])).await;
    let third = begun(store.delete(&ids[2])).await;
    let fourth = begun(store.delete(&ids[3])).await;
    // The one that is sent, the one that would have seen to the sending of the others, and one of these.
    drop((first, second, third));
    pair.replica.resume();
    assert_eq!(fourth.await.unwrap(), Some(record([("of", "fourth")])));
}

/// The clock runs ahead whenever nothing else is left to do, so the waiting takes no time.
#[tokio::test]
async fn who_waits_for_others_to_wait_waits_no_longer_than_the_response_timeout() {
    let (pair, store) = pair().await;
    let id = put(&store, &record([])).await;
    pair.primary.pause();
    pause();
    let first = begun(write(&store, &id)).await;
    sleep(Duration::from_secs(100)).await;
    let start = Instant::now();
    let second = begun(write(&store, &id)).await;
    assert_eq!(first.await.unwrap_err().kind(), Ambiguous);
    assert_eq!(second.await.unwrap_err().kind(), Ambiguous);
    assert_eq!(start.elapsed().as_secs(), 120);
}
