//! No error, nor anything else that is printed, shows an id or a value.

use crate::stand_in::{Manner, StandIn};
use crate::*;

#[tokio::test]
async fn a_server_that_repeats_the_key_is_not_quoted() {
    let id = SessionId::generate();
    let exposed = id.expose();
    for repeated in [key(&id), exposed.clone(), exposed[..20].to_owned(), exposed[9..].to_owned()] {
        for error in ["SERVER_ERROR", "CLIENT_ERROR", "HUH", "VA"] {
            let stand_in = StandIn::saying(format!("{error} {repeated}\r\n")).await;
            for error in errors(&stand_in.builder().build().unwrap(), &id).await {
                let shown = shown(&error);
                assert!(!shown.contains(&repeated), "{shown}");
                assert!(!exposed.split('-').any(|part| shown.contains(part)), "{shown}");
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_repeats_nothing_is_quoted() {
    let stand_in = StandIn::saying("CLIENT_ERROR line too long\r\n").await;
    for error in errors(&stand_in.builder().build().unwrap(), &SessionId::generate()).await {
        assert!(shown(&error).contains("line too long"), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_failure_shows_the_key_or_a_value() {
    for manner in [Manner::Silent, Manner::Closes, Manner::Echo] {
        let stand_in = StandIn::new([manner]).await;
        let id = SessionId::generate();
        for error in errors(&stand_in.builder().build().unwrap(), &id).await {
            let shown = shown(&error);
            for secret in ["sesame", &id.expose()] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
    }
}

async fn errors(store: &MemcacheStore, id: &SessionId) -> [Error; 5] {
    [
        store.load(id).await.unwrap_err(),
        store.create(id, &record([("password", "sesame")]), HOUR).await.unwrap_err(),
        store.update(id, &set("password", "sesame"), None).await.unwrap_err(),
        store.update(id, &Changes::new(), Some(HOUR)).await.unwrap_err(),
        store.delete(id).await.unwrap_err(),
    ]
}
