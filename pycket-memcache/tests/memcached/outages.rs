//! Servers that end, that come back, and that start late.

use pycket_core::Outcome;
use pycket_testkit::block_on;

use crate::*;

use ErrorKind::Unavailable;

#[tokio::test]
async fn store_starts_before_its_server() {
    let server = Server::memcached();
    server.kill();
    let store = store(&server);
    assert_eq!(kinds(&store).await, [Some(Unavailable); 5]);
    server.restart();
    assert_eq!(kinds(&store).await, [None; 5]);
}

#[tokio::test]
async fn killed_server_is_unavailable_until_it_is_back() {
    for connections in [1, 4] {
        let server = Server::memcached();
        let store = slow_builder(&server).max_connections(connections).build().unwrap();
        for _ in 0..3 {
            assert_eq!(kinds(&store).await, [None; 5]);
            server.kill();
            assert_eq!(kinds(&store).await, [Some(Unavailable); 5]);
            assert_eq!(kinds(&store).await, [Some(Unavailable); 5]);
            server.restart();
        }
        assert_eq!(kinds(&store).await, [None; 5]);
    }
}

/// memcached starts empty, so a client with the id of an old session gets a new one.
#[tokio::test]
async fn sessions_end_and_new_ones_begin_after_a_server_restart() {
    let server = Server::memcached();
    let manager = manager(store(&server));
    let session = manager.open(None).await.unwrap();
    session.set("name", "value").unwrap();
    session.commit().await.unwrap();
    let id = session.id().unwrap();
    server.restart();
    session.set("name", "other").unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Ended);
    let next = manager.open(Some(id)).await.unwrap();
    assert!(next.is_new());
    next.set("name", "value").unwrap();
    assert_eq!(next.commit().await.unwrap(), Outcome::Created);
    assert_ne!(next.id(), Some(id));
}

/// As in a test suite with one runtime per test.
#[test]
fn store_works_in_a_second_runtime() {
    let store = store(shared());
    let id = block_on(put(&store, &record([("name", "value")])));
    for round in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let changes = set("round", &round.to_string());
            assert_eq!(store.update(&id, &changes, None).await.unwrap(), Update::Applied);
        });
    }
    let expected = record([("name", "value"), ("round", "2")]);
    assert_eq!(block_on(stored(&store, &id)), Some(expected));
}
