//! One connection carries the requests of many tasks and runtimes.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::thread;

use pycket_testkit::servers::{Behavior, FakeServer};
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::{Instant, pause};

use crate::*;

use ErrorKind::{Ambiguous, Unavailable};

const LIMIT: Duration = Duration::from_secs(20);

/// A server without sessions that counts how often it reads. Returns its address.
fn count_reads(reads: &Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let reads = reads.clone();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            reads.fetch_add(1, Ordering::SeqCst);
            let requests = buffer[..length].iter().filter(|byte| **byte == b'\n').count();
            stream.write_all("EN\r\n".repeat(requests).as_bytes()).unwrap();
        }
    });
    address
}

/// On one thread of a runtime with several: there a task that is woken runs next, so that without gathering the
/// connection would write each request on its own.
#[test]
fn requests_that_are_ready_together_share_one_write() {
    const REQUESTS: usize = 32;
    let reads = Arc::default();
    let store = Arc::new(MemcacheStore::builder().servers([count_reads(&reads)]).build().unwrap());
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let load = |store: Arc<MemcacheStore>| async move {
        assert_eq!(stored(&*store, &SessionId::generate()).await, None);
    };
    let connect = load(store.clone());
    runtime.block_on(async { tokio::spawn(connect).await.unwrap() });
    for _ in 0..10 {
        let (store, before) = (store.clone(), reads.load(Ordering::SeqCst));
        runtime.block_on(async {
            let loads = tokio::spawn(async move {
                let loads = (0..REQUESTS).map(|_| load(store.clone()));
                loads.collect::<JoinSet<_>>().join_all().await
            });
            loads.await.unwrap()
        });
        // The first one is sent at once.
        let reads = reads.load(Ordering::SeqCst) - before;
        assert!(reads <= 4, "{REQUESTS} requests in {reads} reads");
    }
}

#[tokio::test]
async fn request_on_an_idle_connection_is_sent_at_once() {
    let store = store(shared());
    assert_eq!(kinds(&store).await, [None; 5]);
    let (id, record) = (SessionId::generate(), record([]));
    let mut create = store.create(&id, &record, HOUR);
    assert!(create.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    tokio::task::yield_now().await;
    // The runtime stands still from here on.
    let (mut raw_client, start) = (RawClient::new(shared()), std::time::Instant::now());
    while raw_client.get(&key(&id)).is_none() {
        assert!(start.elapsed() < LIMIT, "the request was not sent");
    }
    assert_eq!(create.await.unwrap(), Creation::Created);
}

#[tokio::test]
async fn dropped_calls_take_no_reply_from_the_others() {
    let store = store(shared());
    let mut ids = Vec::new();
    for name in ["first", "second", "third"] {
        ids.push(put(&store, &record([(name, "value")])).await);
    }
    let mut calls = ids.iter().map(|id| store.load(id)).collect::<Vec<_>>();
    for call in &mut calls {
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    // Now the connection has written them.
    tokio::task::yield_now().await;
    let third = calls.pop().unwrap();
    drop(calls);
    assert_eq!(third.await.unwrap().unwrap().record, record([("third", "value")]));
}

#[tokio::test]
async fn call_dropped_before_it_is_sent_is_never_carried_out() {
    let store = store(shared());
    assert_eq!(kinds(&store).await, [None; 5]);
    let (id, record) = (SessionId::generate(), record([]));
    let mut create = store.create(&id, &record, HOUR);
    assert!(create.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(create);
    // On the same connection, so the server would have carried out the create before.
    assert_eq!(stored(&store, &id).await, None);
}

/// The reads are repeated on another connection. A write may have been carried out.
#[tokio::test(start_paused = true)]
async fn late_reply_fails_no_read_of_other_calls_on_the_connection() {
    for (behavior, of_load) in
        [(Behavior::Answers(b"EN\r\n"[..].into()), None), (Behavior::Silent, Some(Unavailable))]
    {
        let server = FakeServer::new([Behavior::Silent, behavior]).await;
        let store = at(&server).response_timeout(LIMIT).build().unwrap();
        let start = Instant::now();
        let load = async |delay| {
            tokio::time::sleep(delay).await;
            store.load(&SessionId::generate()).await.err().map(|error| error.kind())
        };
        let create = async {
            tokio::time::sleep(LIMIT / 2).await;
            let created = store.create(&SessionId::generate(), &record([]), HOUR).await;
            created.unwrap_err().kind()
        };
        let (first, second, third) = tokio::join!(load(Duration::ZERO), load(LIMIT / 2), create);
        assert_eq!((first, second, third), (Some(Unavailable), of_load, Ambiguous));
        let end = if of_load.is_none() { LIMIT } else { 2 * LIMIT };
        assert_eq!(start.elapsed().as_secs(), end.as_secs());
        assert_eq!(server.connections(), 2);
    }
}

/// Both calls learn at the same time that their connection is closed. The later one opens the next connection first.
#[tokio::test(start_paused = true)]
async fn failure_on_an_old_connection_keeps_the_new_one() {
    let answers = Behavior::Answers(b"EN\r\n"[..].into());
    let server = FakeServer::new([Behavior::Silent, answers]).await;
    let store = at(&server).response_timeout(LIMIT).build().unwrap();
    let id = SessionId::generate();
    let later = async {
        tokio::time::sleep(LIMIT / 2).await;
        store.load(&id).await.unwrap()
    };
    let (later, first) = tokio::join!(later, store.load(&id));
    assert_eq!((later, first.unwrap_err().kind()), (None, Unavailable));
    assert_eq!(stored(&store, &id).await, None);
    assert_eq!(server.connections(), 2);
}

/// The rest of the item looks like the reply to the other call.
#[tokio::test]
async fn too_large_item_fails_no_read_of_other_calls_on_the_connection() {
    let id = put(&store(shared()), &record([("name", "value")])).await;
    let answer = Behavior::Answers(b"VA 100000000 c7 t5\r\nEN\r\n"[..].into());
    let server = FakeServer::new([answer, Behavior::ForwardsTo(shared().address())]).await;
    let store = at(&server).response_timeout(LIMIT).build().unwrap();
    let large = SessionId::generate();
    let (large, other) = tokio::join!(store.load(&large), stored(&store, &id));
    assert_eq!(large.unwrap_err().kind(), ErrorKind::TooLarge);
    assert_eq!(other, Some(record([("name", "value")])));
}

/// It has room again with the next replies.
#[tokio::test(start_paused = true)]
async fn call_that_finds_no_room_leaves_the_connection_to_others() {
    let server = FakeServer::new([Behavior::Silent]).await;
    let builder = at(&server).connect_timeout(LIMIT / 4).response_timeout(LIMIT);
    let store = Arc::new(builder.build().unwrap());
    let mut loads = JoinSet::new();
    for _ in 0..1024 {
        let store = store.clone();
        loads.spawn(async move { store.load(&SessionId::generate()).await.err() });
    }
    tokio::time::sleep(LIMIT / 4).await;
    for _ in 0..2 {
        let error = store.load(&SessionId::generate()).await.unwrap_err();
        assert_eq!((error.kind(), server.connections()), (Unavailable, 1));
    }
}

#[tokio::test]
async fn reply_to_another_request_is_refused() {
    let id = SessionId::generate();
    let of = |id: &SessionId| format!("EN O{}\r\n", &key(id)[17..]);
    let own = at(&FakeServer::answering(of(&id)).await).build().unwrap();
    assert_eq!(stored(&own, &id).await, None);
    let other = at(&FakeServer::answering(of(&SessionId::generate())).await).build().unwrap();
    assert_eq!(other.load(&id).await.unwrap_err().kind(), Unavailable);
}

/// The connection belongs to a runtime that nothing drives any more.
#[test]
fn runtime_that_stands_still_delays_a_call_by_its_timeouts_at_most() {
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
    let store = builder([shared()]).connect_timeout(LIMIT).response_timeout(LIMIT).build().unwrap();
    let (still, other) = (runtime(), runtime());
    still.block_on(async { assert_eq!(kinds(&store).await, [None; 5]) });
    other.block_on(async {
        pause();
        let start = Instant::now();
        let error = pin!(store.load(&SessionId::generate())).await.unwrap_err();
        assert_eq!(error.kind(), Unavailable);
        assert_eq!(start.elapsed().as_secs(), 2 * LIMIT.as_secs());
        tokio::time::resume();
        assert_eq!(kinds(&store).await, [None; 5]);
    });
    drop(still);
}
