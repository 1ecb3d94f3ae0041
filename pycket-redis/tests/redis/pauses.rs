//! A paused server: it keeps the connection open and answers nothing.
//!
//! While the server is paused, the tests also pause tokio's clock. The clock then runs ahead to the next timeout when
//! nothing else is left to do, so every timeout is exact and takes no time.

use tokio::time::{Instant, pause, resume, sleep};

use crate::*;

use ErrorKind::{Ambiguous, Unavailable};

const LIMIT: Duration = Duration::from_secs(20);

fn store_with_limit(server: &Server) -> RedisStore {
    patient(server).response_timeout(LIMIT).build().unwrap()
}

fn pause_all(server: &Server) {
    server.pause();
    pause();
}

fn resume_all(server: &Server) {
    resume();
    server.resume();
}

#[tokio::test]
async fn load_is_unavailable_after_the_response_timeout() {
    let server = Server::redis();
    let store = store_with_limit(&server);
    let id = put(&store, &record([])).await;
    pause_all(&server);
    let start = Instant::now();
    assert_eq!(store.load(&id).await.unwrap_err().kind(), Unavailable);
    assert_eq!(start.elapsed().as_secs(), LIMIT.as_secs());
    resume_all(&server);
    assert_eq!(stored(&store, &id).await, Some(record([])));
}

#[tokio::test]
async fn write_is_ambiguous_after_the_response_timeout() {
    let server = Server::redis();
    for write in 0..3 {
        let store = store_with_limit(&server);
        let id = put(&store, &record([])).await;
        let fresh = SessionId::generate();
        pause_all(&server);
        let start = Instant::now();
        let error = match write {
            0 => store.create(&fresh, &record([]), HOUR).await.err(),
            1 => store.update(&id, &set("name", "value"), None).await.err(),
            _ => store.delete(&id).await.err(),
        };
        assert_eq!(error.unwrap().kind(), Ambiguous);
        assert_eq!(start.elapsed().as_secs(), LIMIT.as_secs());
        resume_all(&server);
        assert_eq!(kinds(&store).await, [None; 4]);
    }
}

#[tokio::test]
async fn connecting_to_a_paused_server_ends_at_the_connect_timeout() {
    let server = Server::redis();
    let store = store_with_limit(&server);
    pause_all(&server);
    let start = Instant::now();
    assert_eq!(kinds(&store).await, [Some(Unavailable); 4]);
    assert_eq!(start.elapsed().as_secs(), 4 * 60);
    resume_all(&server);
    assert_eq!(kinds(&store).await, [None; 4]);
}

#[tokio::test]
async fn late_answer_is_never_read_by_another_call() {
    let server = Server::redis();
    for connections in [1, 4] {
        let store = patient(&server).max_connections(connections).build().unwrap();
        let store = Arc::new(store);
        let (one, two) = (record([("of", "one")]), record([("of", "two")]));
        let (id_one, id_two) = (put(&*store, &one).await, put(&*store, &two).await);
        pause_all(&server);
        for _ in 0..3 {
            assert!(store.load(&id_one).await.is_err());
            assert!(store.update(&id_one, &set("late", "1"), None).await.is_err());
        }
        resume_all(&server);
        for _ in 0..5 {
            assert_eq!(stored(&*store, &id_two).await, Some(two.clone()));
            assert_eq!(store.delete(&SessionId::generate()).await.unwrap(), None);
        }
    }
}

#[tokio::test]
async fn waiting_request_gets_its_answer_after_another_timed_out() {
    let server = Server::redis();
    let store = Arc::new(patient(&server).build().unwrap());
    let (one, two) = (record([("of", "one")]), record([("of", "two")]));
    let (id_one, id_two) = (put(&*store, &one).await, put(&*store, &two).await);
    pause_all(&server);
    let load = |id| {
        let store = store.clone();
        tokio::spawn(async move { store.load(&id).await })
    };
    let early = load(id_one);
    sleep(Duration::from_secs(30)).await;
    let late = load(id_two);
    assert_eq!(early.await.unwrap().unwrap_err().kind(), Unavailable);
    resume_all(&server);
    assert_eq!(stored(&*store, &id_one).await, Some(one));
    assert_eq!(late.await.unwrap().unwrap().unwrap().record, two);
}

/// On one thread, which a request that blocked while waiting would take from the others.
#[tokio::test(flavor = "current_thread")]
async fn paused_server_delays_no_request_to_another_server() {
    let (still, other) = (Server::redis(), store(shared()));
    let slow = Arc::new(store(&still));
    let id = put(&*slow, &record([])).await;
    still.pause();
    let waiting = tokio::spawn(async move { stored(&*slow, &id).await });
    for _ in 0..100 {
        assert_eq!(kinds(&other).await, [None; 4]);
    }
    assert!(!waiting.is_finished());
    still.resume();
    assert_eq!(waiting.await.unwrap(), Some(record([])));
}
