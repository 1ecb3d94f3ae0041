//! No error shows an id or a value.

use pycket_testkit::fixtures::SECRET;
use pycket_testkit::servers::{Behavior, FakeServer};

use crate::*;

#[tokio::test]
async fn error_omits_the_answer_of_a_server_that_repeats_the_key() {
    let id = SessionId::generate();
    let (key, exposed) = (key(&id), id.expose());
    let in_key = key.strip_prefix("pycket:").unwrap();
    for repeated in [&*key, &key[..20], &in_key[9..], &exposed, &exposed[..20], &exposed[9..]] {
        for error in ["SERVER_ERROR", "CLIENT_ERROR", "HUH", "VA"] {
            let fake_server = FakeServer::answering(format!("{error} {repeated}\r\n")).await;
            for error in errors(&at(&fake_server).build().unwrap(), &id).await {
                let shown = shown(&error);
                assert!(!shown.contains(repeated) && !shown.contains(&in_key[9..]), "{shown}");
                assert!(!exposed.split('-').any(|part| shown.contains(part)), "{shown}");
            }
        }
    }
}

#[tokio::test]
async fn error_quotes_the_answer_of_a_server_that_repeats_no_key() {
    let fake_server = FakeServer::answering("CLIENT_ERROR line too long\r\n").await;
    for error in errors(&at(&fake_server).build().unwrap(), &SessionId::generate()).await {
        assert!(shown(&error).contains("line too long"), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn errors_show_neither_key_nor_value() {
    for behavior in [Behavior::Silent, Behavior::Closes, Behavior::Echo] {
        let fake_server = FakeServer::new([behavior]).await;
        let id = SessionId::generate();
        for error in errors(&at(&fake_server).build().unwrap(), &id).await {
            let shown = shown(&error);
            for secret in [SECRET, &id.expose()] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
    }
}

async fn errors(store: &MemcacheStore, id: &SessionId) -> [Error; 5] {
    failures(store, id).await.map(Option::unwrap)
}
