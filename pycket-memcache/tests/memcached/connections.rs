//! The number of connections, and what happens when they break.

use std::net::TcpListener;

use pycket_testkit::block_on;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use pycket_testkit::servers::{Behavior, FakeServer};

use crate::*;

#[test]
fn store_keeps_at_most_max_connections_open() {
    for allowed in [1, 3] {
        let server = Server::memcached();
        let mut raw_client = RawClient::new(&server);
        let before = raw_client.stat("total_connections");
        block_on(async {
            let store = slow_builder(&server).max_connections(allowed).build().unwrap();
            let store = Arc::new(store);
            let id = put(&*store, &record([])).await;
            for _ in 0..3 {
                let mut calls = JoinSet::new();
                for number in 0..64 {
                    let store = store.clone();
                    calls.spawn(async move {
                        let changes = set(&number.to_string(), "value");
                        store.update(&id, &changes, None).await.unwrap()
                    });
                }
                assert_eq!(calls.join_all().await, [Update::Applied; 64]);
            }
        });
        let opened = raw_client.stat("total_connections") - before;
        assert!(opened <= allowed as u64, "{opened} connections");
    }
}

#[tokio::test]
async fn connection_that_broke_while_idle_fails_no_call() {
    let server = Server::memcached();
    let store = slow_builder(&server).max_connections(1).build().unwrap();
    for _ in 0..5 {
        assert_eq!(kinds(&store).await, [None; 5]);
        server.restart();
    }
}

#[tokio::test]
async fn server_that_closes_every_connection_is_unavailable_or_ambiguous() {
    let fake_server = FakeServer::new([Behavior::Closes]).await;
    let store = at(&fake_server).build().unwrap();
    for (method, kind) in kinds(&store).await.into_iter().enumerate() {
        // A create can be sent before the driver sees that the connection is closed.
        let may_be_ambiguous = method == 1 && kind == Some(ErrorKind::Ambiguous);
        assert!(kind == Some(ErrorKind::Unavailable) || may_be_ambiguous, "{method}: {kind:?}");
    }
}

/// The server closes the connection before the driver writes to it.
#[tokio::test]
async fn write_that_was_not_sent_is_sent_on_a_new_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let store = MemcacheStore::builder().servers([address]).build().unwrap();
    let close_then_answer = async {
        // This task runs when the driver has begun to connect, and blocks the thread until the connection is closed.
        tokio::spawn(async move {
            drop(listener.accept().unwrap());
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            stream.write_all(b"HD\r\n").await.unwrap();
        });
    };
    let (id, record) = (SessionId::generate(), record([]));
    let (created, ()) = tokio::join!(store.create(&id, &record, HOUR), close_then_answer);
    assert_eq!(created.unwrap(), Creation::Created);
}

#[tokio::test]
async fn session_works_after_the_first_connections_were_cut() {
    let server = shared().address();
    let behaviors = [Behavior::Closes, Behavior::Closes, Behavior::ForwardsTo(server)];
    let fake_server = FakeServer::new(behaviors).await;
    let manager = manager(at(&fake_server).build().unwrap());
    let id = put(&store(shared()), &record([("name", "value")])).await;
    let mut opened = manager.open(Some(id)).await;
    while opened.is_err() {
        opened = manager.open(Some(id)).await;
    }
    assert_eq!(opened.unwrap().require::<String>("name").unwrap(), "value");
}
