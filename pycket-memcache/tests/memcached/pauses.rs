//! A server that holds still: it takes connections, and answers nothing.
//!
//! While the server holds still these tests stop tokio's clock too. It then runs ahead to the next timeout
//! whenever nothing else is left to do, so that every timeout is exact and takes no time.

use tokio::task::JoinSet;
use tokio::time::{Instant, pause, resume};

use crate::stand_in::{Manner, StandIn};
use crate::*;

use ErrorKind::{Ambiguous, Unavailable};

const LIMIT: Duration = Duration::from_secs(20);

/// Of the five methods the create alone writes before it has read.
const KINDS: [Option<ErrorKind>; 5] =
    [Some(Unavailable), Some(Ambiguous), Some(Unavailable), Some(Unavailable), Some(Unavailable)];

fn hold(server: &Server) {
    server.pause();
    pause();
}

fn go_on(server: &Server) {
    resume();
    server.resume();
}

#[tokio::test]
async fn every_call_ends_with_the_response_timeout() {
    let server = Server::memcached();
    let store = patient(&server).response_timeout(LIMIT).build().unwrap();
    for is_connected in [false, true] {
        if is_connected {
            assert_eq!(kinds(&store).await, [None; 5]);
        }
        hold(&server);
        let start = Instant::now();
        assert_eq!(kinds(&store).await, KINDS);
        assert_eq!(start.elapsed().as_secs(), 5 * LIMIT.as_secs());
        go_on(&server);
        assert_eq!(kinds(&store).await, [None; 5]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_never_answers_is_no_different() {
    let stand_in = StandIn::new([Manner::Silent]).await;
    let store = stand_in.builder().response_timeout(LIMIT).build().unwrap();
    let start = Instant::now();
    assert_eq!(kinds(&store).await, KINDS);
    assert_eq!(start.elapsed().as_secs(), 5 * LIMIT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_connection_free_waits_as_long_as_connecting_may_take() {
    let stand_in = StandIn::new([Manner::Silent]).await;
    let builder = stand_in.builder().connect_timeout(LIMIT / 2).response_timeout(LIMIT);
    let store = Arc::new(builder.max_connections(3).build().unwrap());
    let start = Instant::now();
    let mut loads = JoinSet::new();
    for _ in 0..64 {
        let store = store.clone();
        loads.spawn(async move {
            let error = store.load(&SessionId::generate()).await.unwrap_err();
            (error.kind(), start.elapsed().as_secs())
        });
    }
    let ends = loads.join_all().await;
    assert!(ends.iter().all(|(kind, _)| *kind == Unavailable));
    let at = |end: Duration| ends.iter().filter(|(_, at)| *at == end.as_secs()).count();
    assert_eq!((at(LIMIT / 2), at(LIMIT)), (61, 3));
    assert_eq!(stand_in.taken(), 3);
}

#[tokio::test]
async fn nobody_reads_the_late_answer_to_another_call() {
    let server = Server::memcached();
    for connections in [1, 4] {
        let store = patient(&server).max_connections(connections).build().unwrap();
        let (one, two) = (record([("of", "one")]), record([("of", "two")]));
        let (id_one, id_two) = (put(&store, &one).await, put(&store, &two).await);
        hold(&server);
        for _ in 0..3 {
            assert!(store.load(&id_one).await.is_err());
            assert!(store.create(&id_one, &one, HOUR).await.is_err());
        }
        go_on(&server);
        for _ in 0..5 {
            assert_eq!(stored(&store, &id_two).await, Some(two.clone()));
            assert_eq!(store.delete(&SessionId::generate()).await.unwrap(), None);
        }
    }
}

#[tokio::test]
async fn writers_that_wait_for_their_turn_end_with_the_deadline() {
    const WRITERS: usize = 64;
    let server = Server::memcached();
    let builder = patient(&server).max_connections(WRITERS).deadline(LIMIT);
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
    while server_has_refused_none(&server) {
        tokio::task::yield_now().await;
    }
    hold(&server);
    let start = Instant::now();
    writers.join_all().await;
    // A request that was on its way may take the response timeout besides.
    assert!(start.elapsed() <= LIMIT + Duration::from_secs(61), "{:?}", start.elapsed());
    go_on(&server);
    assert_eq!(kinds(&*store).await, [None; 5]);
}

fn server_has_refused_none(server: &Server) -> bool {
    Operator::new(server).count("cas_badval") == 0
}
