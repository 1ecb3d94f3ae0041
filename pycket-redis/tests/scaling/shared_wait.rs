//! Concurrent writes that wait for replicas: writes that arrive during a `WAIT` are batched and share the next one.
//!
//! The tests pause the replica, so that it confirms nothing until they resume it.

use std::pin::Pin;

use pycket_core::Error;
use tokio::task::yield_now;
use tokio::time::{Instant, pause, sleep};

use crate::operator::{Operator, wait_until};
use crate::*;

use ErrorKind::{Ambiguous, Corrupt};

/// A primary, its replica, and a store with one connection whose writes wait for the replica.
async fn replicated_servers() -> (Servers, RedisStore) {
    let (primary, replica) = (Server::redis(), Server::redis());
    let mut operator = Operator::of(&primary);
    operator.add_replica(&replica).await;
    let store = replicated(&primary.url()).build().unwrap();
    // Connects, and loads the scripts into the server.
    assert_served(&store, SessionId::generate()).await;
    assert_eq!(write(&store, &SessionId::generate()).await.unwrap(), Update::Ended);
    (Servers { primary, replica, operator }, store)
}

struct Servers {
    primary: Server,
    replica: Server,
    operator: Operator,
}

impl Servers {
    /// Sends a write and returns when the server waits for the paused replica.
    async fn held_write<F: Future>(&mut self, write: F) -> Pin<Box<F>> {
        self.replica.pause();
        let write = begun(write).await;
        wait_until("the write waits for the replica", || {
            self.operator.waiting_clients().len() == 1
        })
        .await;
        write
    }

    /// How often `WAIT` was called.
    fn wait_calls(&mut self) -> usize {
        let stats: String = self.operator.run("INFO commandstats");
        let (_, calls) = stats.split_once("cmdstat_wait:calls=").unwrap();
        calls.split(',').next().unwrap().parse().unwrap()
    }
}

async fn write(store: &RedisStore, id: &SessionId) -> Result<Update, Error> {
    store.update(id, &set("name", "other"), Some(HOUR)).await
}

#[tokio::test]
async fn writes_that_arrive_during_a_wait_share_the_next_one() {
    const WRITES: usize = 200;
    let (mut servers, store) = replicated_servers().await;
    let id = put(&store, &record([])).await;
    let before = servers.wait_calls();
    let first = servers.held_write(write(&store, &id)).await;
    let mut others = Vec::new();
    for _ in 0..WRITES {
        others.push(begun(write(&store, &id)).await);
        // If the store did not batch this write, it would send it now.
        for _ in 0..3 {
            yield_now().await;
        }
    }
    servers.replica.resume();
    assert_eq!(first.await.unwrap(), Update::Applied);
    for other in others {
        assert_eq!(other.await.unwrap(), Update::Applied);
    }
    assert_eq!(
        servers.wait_calls() - before,
        2,
        "one `WAIT` for the first write, one for all others"
    );
}

#[tokio::test]
async fn writes_that_share_a_wait_get_their_own_replies() {
    let (mut servers, store) = replicated_servers().await;
    let [first, kept, deleted, broken] = [(); 4].map(|()| SessionId::generate());
    for id in [first, kept, deleted] {
        let created = store.create(&id, &record([("key", &key(&id))]), HOUR).await;
        assert_eq!(created.unwrap(), Creation::Created);
    }
    let _: usize = servers.operator.run(&format!("RPUSH {} element", key(&broken)));
    let absent = SessionId::generate();

    let before = servers.wait_calls();
    let first = servers.held_write(write(&store, &first)).await;
    let ended = begun(write(&store, &absent)).await;
    let corrupt = begun(write(&store, &broken)).await;
    let removed = begun(store.delete(&deleted)).await;
    let (none, hour) = (record([]), HOUR);
    let taken = begun(store.create(&kept, &none, hour)).await;
    let applied = begun(write(&store, &kept)).await;
    servers.replica.resume();
    assert_eq!(first.await.unwrap(), Update::Applied);
    assert_eq!(ended.await.unwrap(), Update::Ended);
    assert_eq!(corrupt.await.unwrap_err().kind(), Corrupt);
    assert_eq!(removed.await.unwrap(), Some(record([("key", &key(&deleted))])));
    assert_eq!(taken.await.unwrap(), Creation::Taken);
    assert_eq!(applied.await.unwrap(), Update::Applied);
    assert_eq!(servers.wait_calls() - before, 2);
}

#[tokio::test]
async fn unconfirmed_write_is_ambiguous_and_a_later_confirmed_one_is_not() {
    let (mut servers, store) = replicated_servers().await;
    let ids = [put(&store, &record([])).await, put(&store, &record([])).await];
    let first = servers.held_write(write(&store, &ids[0])).await;
    let second = begun(write(&store, &ids[1])).await;
    servers.operator.time_out_waits();
    assert_eq!(first.await.unwrap_err().kind(), Ambiguous);
    servers.replica.resume();
    assert_eq!(second.await.unwrap(), Update::Applied);
}

#[tokio::test]
async fn write_dropped_while_others_wait_takes_no_reply_from_them() {
    let (mut servers, store) = replicated_servers().await;
    let mut ids = Vec::new();
    for name in ["first", "second", "third", "fourth"] {
        ids.push(put(&store, &record([("name", name)])).await);
    }
    let first = servers.held_write(store.delete(&ids[0])).await;
    let second = begun(store.delete(&ids[1])).await;
    let third = begun(store.delete(&ids[2])).await;
    let fourth = begun(store.delete(&ids[3])).await;
    // Drops the write that was sent, the first write of the next batch, and another one of that batch.
    drop((first, second, third));
    servers.replica.resume();
    assert_eq!(fourth.await.unwrap(), Some(record([("name", "fourth")])));
}

#[tokio::test]
async fn write_dropped_while_it_waits_for_others_is_never_carried_out() {
    let (mut servers, store) = replicated_servers().await;
    let ids = [put(&store, &record([])).await, put(&store, &record([])).await];
    let first = servers.held_write(write(&store, &ids[0])).await;
    drop(begun(store.delete(&ids[1])).await);
    servers.replica.resume();
    assert_eq!(first.await.unwrap(), Update::Applied);
    // The server gets this one after the delete.
    assert_eq!(write(&store, &ids[1]).await.unwrap(), Update::Applied);
}

/// With the paused clock of tokio, the timeouts take no real time.
#[tokio::test]
async fn write_queued_behind_a_wait_ends_within_the_response_timeout() {
    let (servers, store) = replicated_servers().await;
    let id = put(&store, &record([])).await;
    servers.primary.pause();
    pause();
    let first = begun(write(&store, &id)).await;
    sleep(Duration::from_secs(100)).await;
    let start = Instant::now();
    let second = begun(write(&store, &id)).await;
    assert_eq!(first.await.unwrap_err().kind(), Ambiguous);
    assert_eq!(second.await.unwrap_err().kind(), Ambiguous);
    assert_eq!(start.elapsed().as_secs(), 120);
}
