//! The round trips of each method.

use crate::*;

#[tokio::test]
async fn load_and_create_take_one_round_trip_others_without_a_version_two() {
    let proxy = FaultProxy::new(shared().address());
    let store = through(&proxy);
    let mut id = SessionId::generate();
    let cost = || proxy.take_exchanges().len();
    for _ in 0..2 {
        id = put(&store, &record([("name", "value")])).await;
        assert_eq!(cost(), 1, "create");
        assert!(stored(&store, &id).await.is_some());
        assert_eq!(cost(), 1, "load");
        assert_eq!(store.update(&id, &set("name", "other"), None).await.unwrap(), Update::Applied);
        assert_eq!(cost(), 2, "update");
        assert_eq!(touch(&store, &id, HOUR).await, Update::Applied);
        assert_eq!(cost(), 2, "touch");
        assert!(store.delete(&id).await.unwrap().is_some());
        assert_eq!(cost(), 2, "delete");
    }
    assert_eq!(store.load(&id).await.unwrap(), None);
    assert_eq!(store.update(&id, &set("name", "other"), None).await.unwrap(), Update::Ended);
    assert_eq!(store.delete(&id).await.unwrap(), None);
    assert_eq!(cost(), 3, "a missing record takes one");
}

#[tokio::test]
async fn update_with_the_version_of_the_last_load_takes_one_round_trip() {
    let proxy = FaultProxy::new(shared().address());
    let store = through(&proxy);
    let cost = || proxy.take_exchanges().len();
    let id = put(&store, &record([("name", "value")])).await;
    let version = store.load(&id).await.unwrap().unwrap().version;
    cost();

    let update = set("name", "other").with_version(version.clone());
    assert_eq!(store.update(&id, &update, None).await.unwrap(), Update::Applied);
    assert_eq!(cost(), 1, "update");
    let touch = Changes::new().with_version(store.load(&id).await.unwrap().unwrap().version);
    cost();
    assert_eq!(store.update(&id, &touch, Some(HOUR)).await.unwrap(), Update::Applied);
    assert_eq!(cost(), 1, "touch");

    let update = set("name", "third").with_version(version);
    assert_eq!(store.update(&id, &update, None).await.unwrap(), Update::Applied);
    assert_eq!(cost(), 3, "update with an old version");
    assert_eq!(stored(&store, &id).await, Some(record([("name", "third")])));
}

#[tokio::test]
async fn request_that_changes_a_session_takes_two_round_trips() {
    let proxy = FaultProxy::new(shared().address());
    let store = through(&proxy);
    let id = put(&store, &record([("name", "value")])).await;
    let cost = || proxy.take_exchanges().len();
    cost();

    let session = open(&manager(store), id).await;
    session.set("visits", &1).unwrap();
    session.commit().await.unwrap();
    assert_eq!(cost(), 2, "load and update");

    session.set("visits", &2).unwrap();
    session.commit().await.unwrap();
    assert_eq!(cost(), 2, "the next change reads the record");
    let add = |visits: Option<u32>| visits.unwrap_or(0) + 1;
    assert_eq!(session.update("visits", add).await.unwrap(), 3);
}
