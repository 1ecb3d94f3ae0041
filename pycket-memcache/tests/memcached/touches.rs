//! A touch renews the life and sends nothing of the session.

use crate::*;

const SIZE_OF_END: usize = 9;

fn item(id: &SessionId) -> Vec<u8> {
    Operator::new(shared()).get(&key(id)).unwrap()
}

fn large(size: usize) -> Record {
    let metadata = Metadata::new(Timestamp::from_unix_millis(7));
    Record::new(metadata, [("large", Value::from(vec![7; size]))])
}

#[tokio::test]
async fn a_touch_of_a_large_session_sends_a_few_bytes() {
    let server = Server::memcached();
    let store = store(&server);
    let id = put(&store, &large(500_000)).await;
    let mut operator = Operator::new(&server);
    let before = operator.count("bytes_read");
    assert_eq!(touch(&store, &id, Ttl::MAX).await, Update::Applied);
    let sent = operator.count("bytes_read") - before;
    assert!(sent < 400, "{sent} bytes");
    assert_eq!(stored(&store, &id).await, Some(large(500_000)));
}

#[tokio::test]
async fn a_touch_adds_nothing_but_an_end() {
    let store = store(shared());
    let id = put(&store, &record([("name", "value")])).await;
    let before = item(&id);
    assert_eq!(touch(&store, &id, Ttl::MAX).await, Update::Applied);
    let after = item(&id);
    assert_eq!(after[..before.len()], before);
    assert_eq!(after.len(), before.len() + SIZE_OF_END);
}

#[tokio::test]
async fn an_item_does_not_grow_with_every_touch() {
    let store = store(shared());
    let id = put(&store, &record([("name", "value")])).await;
    let new = item(&id).len();
    for _ in 0..100 {
        assert_eq!(touch(&store, &id, HOUR).await, Update::Applied);
        assert!(item(&id).len() <= new + 15 * SIZE_OF_END);
    }
    assert_eq!(stored(&store, &id).await, Some(record([("name", "value")])));
    assert_eq!(store.update(&id, &set("name", "other"), None).await.unwrap(), Update::Applied);
    assert_eq!(item(&id).len(), new);
}

/// memcached appends nothing to an item that would be too large then.
#[tokio::test]
async fn the_largest_session_can_be_touched_as_often_as_any_other() {
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
async fn a_touch_that_depends_on_a_value_happens_with_it_or_not_at_all() {
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
