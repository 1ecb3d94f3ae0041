//! Callers that stop polling a call, as a task does that waits for something else. Other callers go on.

use std::pin::Pin;
use std::task::{Context, Waker};

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep};

use pycket_testkit::servers::{Behavior, FakeServer};

use crate::*;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);

fn poll_once(call: &mut (impl Future + Unpin)) {
    assert!(Pin::new(call).poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn unpolled_call_that_connects_delays_others_by_one_connect_timeout() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let addr = listener.local_addr().unwrap();
    // The listener accepts nothing. When its queue is full, connecting hangs.
    let mut queue = Vec::new();
    while let Ok(stream) =
        tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(addr)).await
    {
        queue.push(stream.unwrap());
    }

    let builder = MemcacheStore::builder().servers([addr.to_string()]).max_connections(1);
    let builder = builder.connect_timeout(CONNECT_TIMEOUT);
    let store = builder.response_timeout(Duration::from_secs(60)).build().unwrap();
    let id = SessionId::generate();
    let mut unpolled = store.load(&id);
    poll_once(&mut unpolled);
    sleep(CONNECT_TIMEOUT / 2).await;
    let start = Instant::now();
    assert_eq!(store.load(&id).await.unwrap_err().kind(), ErrorKind::Unavailable);
    // Half of the timeout for the connection that the unpolled call has, then one for a new connection.
    assert!(start.elapsed() < 2 * CONNECT_TIMEOUT, "{:?}", start.elapsed());

    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut server = TcpStream::connect(shared().address()).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    sleep(Duration::from_millis(100)).await;
    assert_eq!(store.load(&id).await.unwrap(), None);
    drop(unpolled);
}

#[tokio::test]
async fn unpolled_call_on_the_only_connection_lets_others_succeed() {
    let behaviors = [Behavior::Silent, Behavior::ForwardsTo(shared().address())];
    let server = FakeServer::new(behaviors).await;
    let builder = at(&server).max_connections(1).connect_timeout(Duration::from_secs(60));
    let store = builder.response_timeout(RESPONSE_TIMEOUT).build().unwrap();
    let id = SessionId::generate();
    let mut unpolled = store.load(&id);
    poll_once(&mut unpolled);
    until(|| server.connections() == 1).await;
    // So that the connection breaks before the others time out on it.
    sleep(RESPONSE_TIMEOUT / 2).await;
    for _ in 0..3 {
        assert_eq!(store.load(&id).await.unwrap(), None);
    }
    drop(unpolled);
}

#[tokio::test]
async fn unpolled_call_that_requests_the_item_limit_lets_others_succeed() {
    let behaviors = [Behavior::Silent, Behavior::ForwardsTo(shared().address())];
    let server = FakeServer::new(behaviors).await;
    let builder = at(&server).connect_timeout(Duration::from_secs(1));
    let store = builder.response_timeout(Duration::from_secs(1)).build().unwrap();
    let (id, other, record) = (SessionId::generate(), SessionId::generate(), large(2000));
    let mut unpolled = store.create(&id, &record, HOUR);
    poll_once(&mut unpolled);
    until(|| server.connections() == 1).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(store.create(&other, &record, HOUR).await.unwrap(), Creation::Created);
    drop(unpolled);
}

/// The lock is for the writers of one process that are retried after a conflict.
#[tokio::test]
async fn unpolled_writer_that_holds_the_retry_lock_lets_others_succeed() {
    let server = Server::memcached();
    let (connect_timeout, limit) = (Duration::from_secs(1), Duration::from_secs(60));
    let builder = builder([&server]).connect_timeout(connect_timeout);
    let store = builder.response_timeout(limit).deadline(limit).build().unwrap();
    let id = put(&store, &record([])).await;
    let stat = |name| RawClient::new(&server).stat(name);

    let changes = ["unpolled", "other"].map(|name| set(name, "value"));
    let mut calls = changes.each_ref().map(|changes| store.update(&id, changes, None));
    for (number, call) in calls.iter_mut().enumerate() {
        let gets = stat("cmd_get");
        poll_once(call);
        until(|| stat("cmd_get") > gets).await;
        let first = store.update(&id, &set(&format!("first {number}"), "value"), None).await;
        assert_eq!(first.unwrap(), Update::Applied);
        let conflicts = stat("cas_badval");
        poll_once(call);
        until(|| stat("cas_badval") > conflicts).await;
    }
    let [mut unpolled, other] = calls;
    // Takes the lock, and reads again.
    sleep(Duration::from_millis(100)).await;
    poll_once(&mut unpolled);
    let start = Instant::now();
    assert_eq!(other.await.unwrap(), Update::Applied);
    assert!(start.elapsed() >= connect_timeout, "the other writer did not wait for the lock");
    assert!(start.elapsed() < 5 * connect_timeout, "{:?}", start.elapsed());
    drop(unpolled);
    assert_eq!(stored(&store, &id).await.unwrap().len(), 3);
}
