//! How many connections there are, and what becomes of those that end.

use pycket_testkit::block_on;
use tokio::task::JoinSet;

use crate::stand_in::{Manner, StandIn};
use crate::*;

#[test]
fn no_more_connections_are_made_than_allowed_and_they_are_kept() {
    for allowed in [1, 3] {
        let server = Server::memcached();
        let mut operator = Operator::new(&server);
        let before = operator.count("total_connections");
        block_on(async {
            let store = patient(&server).max_connections(allowed).build().unwrap();
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
        let made = operator.count("total_connections") - before;
        assert!(made <= allowed as u64, "{made} connections");
    }
}

#[tokio::test]
async fn no_call_fails_because_a_connection_ended_while_it_was_idle() {
    let server = Server::memcached();
    let store = patient(&server).max_connections(1).build().unwrap();
    for _ in 0..5 {
        assert_eq!(kinds(&store).await, [None; 5]);
        server.restart();
    }
}

#[tokio::test]
async fn a_server_that_closes_every_connection_is_unavailable_or_ambiguous() {
    let stand_in = StandIn::new([Manner::Closes]).await;
    let store = stand_in.builder().build().unwrap();
    for (method, kind) in kinds(&store).await.into_iter().enumerate() {
        // A create may be on its way before it turns out that nobody reads it.
        let may_be_ambiguous = method == 1 && kind == Some(ErrorKind::Ambiguous);
        assert!(kind == Some(ErrorKind::Unavailable) || may_be_ambiguous, "{method}: {kind:?}");
    }
}

#[tokio::test]
async fn a_session_that_began_with_a_cut_connection_goes_on() {
    let server = shared().address();
    let manners = [Manner::Closes, Manner::Closes, Manner::LeadsTo(server)];
    let stand_in = StandIn::new(manners).await;
    let manager = manager(stand_in.builder().build().unwrap());
    let id = put(&store(shared()), &record([("name", "value")])).await;
    let mut opened = manager.open(Some(id)).await;
    while opened.is_err() {
        opened = manager.open(Some(id)).await;
    }
    assert_eq!(opened.unwrap().require::<String>("name").unwrap(), "value");
}
