//! A server that is paused: it accepts connections and answers nothing.
//!
//! While the server is paused, these tests pause the clock of tokio too. It then jumps to the next timeout when
//! nothing else is left to do, so that every timeout is exact and takes no time.

use tokio::task::JoinSet;
use tokio::time::{Instant, pause, resume};

use pycket_testkit::servers::{Behavior, FakeServer};

use crate::*;

use ErrorKind::{Ambiguous, Unavailable};

const LIMIT: Duration = Duration::from_secs(20);

/// Only create writes before it reads.
const KINDS: [Option<ErrorKind>; 5] =
    [Some(Unavailable), Some(Ambiguous), Some(Unavailable), Some(Unavailable), Some(Unavailable)];

fn pause_all(server: &Server) {
    server.pause();
    pause();
}

fn resume_all(server: &Server) {
    resume();
    server.resume();
}

#[tokio::test]
async fn every_call_ends_after_the_response_timeout() {
    let server = Server::memcached();
    let store = slow_builder(&server).response_timeout(LIMIT).build().unwrap();
    for is_connected in [false, true] {
        if is_connected {
            assert_eq!(kinds(&store).await, [None; 5]);
        }
        pause_all(&server);
        let start = Instant::now();
        assert_eq!(kinds(&store).await, KINDS);
        assert_eq!(start.elapsed().as_secs(), 5 * LIMIT.as_secs());
        resume_all(&server);
        assert_eq!(kinds(&store).await, [None; 5]);
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_to_a_silent_server_ends_after_the_response_timeout() {
    let fake_server = FakeServer::new([Behavior::Silent]).await;
    let store = at(&fake_server).response_timeout(LIMIT).build().unwrap();
    let start = Instant::now();
    assert_eq!(kinds(&store).await, KINDS);
    assert_eq!(start.elapsed().as_secs(), 5 * LIMIT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn call_over_the_limit_of_requests_waits_for_the_connect_timeout() {
    let fake_server = FakeServer::new([Behavior::Silent]).await;
    let builder = at(&fake_server).connect_timeout(LIMIT / 2).response_timeout(LIMIT);
    let store = Arc::new(builder.build().unwrap());
    let start = Instant::now();
    let mut loads = JoinSet::new();
    for _ in 0..1100 {
        let store = store.clone();
        loads.spawn(async move {
            let error = store.load(&SessionId::generate()).await.unwrap_err();
            (error.kind(), start.elapsed().as_secs())
        });
    }
    let ends = loads.join_all().await;
    assert!(ends.iter().all(|(kind, _)| *kind == Unavailable));
    let at = |end: Duration| ends.iter().filter(|(_, at)| *at == end.as_secs()).count();
    assert_eq!((at(LIMIT / 2), at(LIMIT)), (76, 1024));
    assert_eq!(fake_server.connections(), 1);
}

#[tokio::test]
async fn late_reply_is_never_read_by_another_call() {
    let server = Server::memcached();
    for connections in [1, 4] {
        let store = slow_builder(&server).max_connections(connections).build().unwrap();
        let (one, two) = (record([("of", "one")]), record([("of", "two")]));
        let (id_one, id_two) = (put(&store, &one).await, put(&store, &two).await);
        pause_all(&server);
        for _ in 0..3 {
            assert!(store.load(&id_one).await.is_err());
            assert!(store.create(&id_one, &one, HOUR).await.is_err());
        }
        resume_all(&server);
        for _ in 0..5 {
            assert_eq!(stored(&store, &id_two).await, Some(two.clone()));
            assert_eq!(store.delete(&SessionId::generate()).await.unwrap(), None);
        }
    }
}

#[tokio::test]
async fn waiting_writers_end_after_the_deadline() {
    const WRITERS: usize = 64;
    let server = Server::memcached();
    let builder = slow_builder(&server).max_connections(WRITERS).deadline(LIMIT);
    let store = Arc::new(builder.build().unwrap());
    let id = put(&*store, &record([])).await;
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let store = store.clone();
        writers.spawn(async move {
            let name = number.to_string();
            while store.update(&id, &set(&name, "value"), None).await.is_ok() {}
        });
    }
    while no_write_has_conflicted(&server) {
        tokio::task::yield_now().await;
    }
    pause_all(&server);
    let start = Instant::now();
    writers.join_all().await;
    // The last request may take the response timeout as well, and be repeated.
    assert!(start.elapsed() <= LIMIT + Duration::from_secs(121), "{:?}", start.elapsed());
    resume_all(&server);
    assert_eq!(kinds(&*store).await, [None; 5]);
}

fn no_write_has_conflicted(server: &Server) -> bool {
    RawClient::new(server).stat("cas_badval") == 0
}
