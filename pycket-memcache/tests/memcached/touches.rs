//! A touch renews a record without sending it.

use crate::*;

const SIZE_OF_EXPIRY: usize = 9;

fn item(id: &SessionId) -> Vec<u8> {
    RawClient::new(shared()).get(&key(id)).unwrap()
}

#[tokio::test]
async fn touch_of_a_large_session_sends_few_bytes() {
    let server = Server::memcached();
    let store = store(&server);
    let id = put(&store, &large(500_000)).await;
    let mut raw_client = RawClient::new(&server);
    let before = raw_client.stat("bytes_read");
    assert_eq!(touch(&store, &id, Ttl::MAX).await, Update::Applied);
    let sent = raw_client.stat("bytes_read") - before;
    assert!(sent < 400, "{sent} bytes");
    assert_eq!(stored(&store, &id).await, Some(large(500_000)));
}

#[tokio::test]
async fn touch_only_appends_an_expiry() {
    let store = store(shared());
    let id = put(&store, &record([("name", "value")])).await;
    let before = item(&id);
    assert_eq!(touch(&store, &id, Ttl::MAX).await, Update::Applied);
    let after = item(&id);
    assert_eq!(after[..before.len()], before);
    assert_eq!(after.len(), before.len() + SIZE_OF_EXPIRY);
}

#[tokio::test]
async fn item_does_not_grow_with_every_touch() {
    let store = store(shared());
    let id = put(&store, &record([("name", "value")])).await;
    let new = item(&id).len();
    for _ in 0..100 {
        assert_eq!(touch(&store, &id, HOUR).await, Update::Applied);
        assert!(item(&id).len() <= new + 15 * SIZE_OF_EXPIRY);
    }
    assert_eq!(stored(&store, &id).await, Some(record([("name", "value")])));
    assert_eq!(store.update(&id, &set("name", "other"), None).await.unwrap(), Update::Applied);
    assert_eq!(item(&id).len(), new);
}

/// memcached does not append to an item that would become too large.
#[tokio::test]
async fn largest_session_can_be_touched_like_any_other() {
    let store = store(shared());
    let mut size = 1 << 20;
    let id = loop {
        let id = SessionId::generate();
        match store.create(&id, &large(size), HOUR).await {
            Ok(_) => break id,
            Err(error) => assert_eq!(error.kind(), ErrorKind::TooLarge),
        }
        size -= 1;
    };
    for _ in 0..40 {
        assert_eq!(touch(&store, &id, Ttl::MAX).await, Update::Applied);
    }
    assert_eq!(stored(&store, &id).await, Some(large(size)));
}

#[tokio::test]
async fn touch_with_an_expectation_is_atomic() {
    let store = store(shared());
    let id = put(&store, &record([("name", "value")])).await;
    let before = item(&id);
    let touch = Changes::new().expect("name", Some(text("other")));
    assert_eq!(store.update(&id, &touch, Some(Ttl::MAX)).await.unwrap(), Update::Conflict);
    assert_eq!(item(&id), before);
    let touch = Changes::new().expect("name", Some(text("value")));
    assert_eq!(store.update(&id, &touch, Some(Ttl::MAX)).await.unwrap(), Update::Applied);
    assert!(store.load(&id).await.unwrap().unwrap().expires_in > HOUR.as_duration());
}
