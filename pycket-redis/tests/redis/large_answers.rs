//! Answers that are larger than `max_response_bytes`.

use crate::stand_in::{Manner, StandIn};
use crate::*;

use ErrorKind::{Ambiguous, TooLarge};

const MEBIBYTE: usize = 1024 * 1024;

fn small_limit(server: &Server) -> RedisStore {
    patient(server)
        .deadline(Duration::from_millis(100))
        .max_response_bytes(MEBIBYTE)
        .build()
        .unwrap()
}

#[tokio::test]
async fn announced_gigabyte_is_an_error_at_once() {
    for answer in ["$1073741824\r\n", "*2\r\n+OK\r\n$1073741824\r\n"] {
        let manner = Manner::Says(answer.as_bytes().into());
        let stand_in = StandIn::new([manner]).await;
        let builder = once(&stand_in.url()).connect_timeout(Duration::MAX);
        let store = builder.response_timeout(Duration::MAX).build().unwrap();
        assert_eq!(kinds(&store).await, [Some(TooLarge); 4]);
    }
}

#[tokio::test]
async fn record_over_the_limit_is_too_large_to_load() {
    let store = small_limit(shared());
    let small = put(&store, &record([("name", "value")])).await;
    let half = "a".repeat(MEBIBYTE * 2 / 3);
    let id = put(&store, &record([("one", &half), ("two", &half)])).await;
    for _ in 0..2 {
        let error = store.load(&id).await.unwrap_err();
        assert_eq!(error.kind(), TooLarge);
        assert!(error.to_string().contains("raise `max_response_bytes`"), "{error}");
        assert!(shown(&error).contains("larger than `max_response_bytes`"), "{error:?}");
        assert_eq!(stored(&store, &small).await, Some(record([("name", "value")])));
    }
    // The server deletes the record before it returns it.
    assert_eq!(store.delete(&id).await.unwrap_err().kind(), Ambiguous);
    assert_eq!(stored(&store, &id).await, None);
}

#[tokio::test]
async fn value_over_the_limit_is_refused_before_it_is_sent() {
    let store = small_limit(shared());
    let value = "a".repeat(MEBIBYTE);
    let id = put(&store, &record([])).await;
    let error = store.update(&id, &set("name", &value), Some(HOUR)).await.unwrap_err();
    assert_eq!(error.kind(), TooLarge);
    assert!(error.to_string().contains("`max_response_bytes`"), "{error}");
    assert_eq!(stored(&store, &id).await, Some(record([])));
}
