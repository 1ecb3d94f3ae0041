//! Servers that end, come back, or were never there.

use pycket_core::Outcome;
use pycket_testkit::block_on;

use crate::*;

use ErrorKind::{Ambiguous, Unavailable};

#[tokio::test]
async fn store_starts_before_its_server() {
    let server = Server::redis();
    server.kill();
    let store = store(&server);
    assert_eq!(kinds(&store).await, [Some(Unavailable); 4]);
    server.restart();
    assert_eq!(kinds(&store).await, [None; 4]);
}

#[tokio::test]
async fn wrong_address_is_an_error_of_the_first_call_that_names_the_cause() {
    let server = Server::redis();
    server.kill();
    for (url, fault) in
        [(server.url(), "refused"), ("redis+unix:///no/such/socket".to_owned(), "No such file")]
    {
        let store = once(&url).build().unwrap();
        for error in failures(&store).await.map(Option::unwrap) {
            assert_eq!(error.kind(), Unavailable);
            assert!(shown(&error).contains(fault), "{error:?}");
        }
    }
}

#[tokio::test]
async fn store_recovers_by_itself_when_a_killed_server_is_back() {
    for connections in [1, 4] {
        let server = Server::redis();
        let store = patient(&server).max_connections(connections).build().unwrap();
        for _ in 0..3 {
            assert_eq!(kinds(&store).await, [None; 4]);
            server.kill();
            assert_eq!(kinds(&store).await, [Some(Unavailable); 4]);
            assert_eq!(kinds(&store).await, [Some(Unavailable); 4]);
            server.restart();
        }
        assert_eq!(kinds(&store).await, [None; 4]);
    }
}

#[tokio::test]
async fn write_in_flight_when_the_server_ends_is_ambiguous() {
    let server = Server::redis();
    let store = store(&server);
    let id = put(&store, &record([])).await;
    server.kill();
    let error = store.update(&id, &set("name", "value"), None).await.unwrap_err();
    assert_eq!(error.kind(), Ambiguous);
    let error = store.update(&id, &set("name", "value"), None).await.unwrap_err();
    assert_eq!(error.kind(), Unavailable);
}

#[tokio::test]
async fn session_survives_a_restart_of_a_server_with_persistence() {
    let server = Server::redis_persistent();
    let manager = manager(store(&server));
    let session = manager.open(None).await.unwrap();
    session.set("name", "value").unwrap();
    session.commit().await.unwrap();
    server.restart();
    session.set("other", "value").unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
    server.restart();
    assert_eq!(session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await.unwrap(), 1);
    server.restart();
    let session = open(&manager, session.id().unwrap()).await;
    assert_eq!(session.keys(), ["n", "name", "other"]);
}

#[tokio::test]
async fn changes_that_could_not_be_stored_are_stored_by_a_later_commit() {
    let server = Server::redis_persistent();
    let manager = manager(store(&server));
    let session = manager.open(None).await.unwrap();
    session.set("name", "value").unwrap();
    session.commit().await.unwrap();
    session.set("name", "other").unwrap();
    server.kill();
    assert!(session.commit().await.unwrap_err().is_transient());
    server.restart();
    assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
    let session = open(&manager, session.id().unwrap()).await;
    assert_eq!(session.require::<String>("name").unwrap(), "other");
}

/// As in a test suite with a runtime per test.
#[test]
fn store_works_after_the_runtime_that_connected_ended() {
    let store = store(shared());
    let id = block_on(put(&store, &record([("name", "value")])));
    for _ in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            assert_eq!(stored(&store, &id).await, Some(record([("name", "value")])));
        });
    }
    assert_eq!(block_on(stored(&store, &id)), Some(record([("name", "value")])));
}

#[test]
fn request_connects_itself_when_the_connecting_runtime_ends() {
    let server = Server::redis();
    let store = Arc::new(patient(&server).build().unwrap());
    server.pause();
    let first = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let connecting = store.clone();
    let (sender, receiver) = std::sync::mpsc::channel();
    first.spawn(async move {
        sender.send(()).unwrap();
        _ = connecting.load(&SessionId::generate()).await;
    });
    receiver.recv().unwrap();
    block_on(async {
        let waiting = tokio::spawn(async move { stored(&*store, &SessionId::generate()).await });
        first.shutdown_background();
        server.resume();
        assert_eq!(waiting.await.unwrap(), None);
    });
}
