//! The round trips of each method.

use crate::*;

#[tokio::test]
async fn load_and_create_take_one_round_trip_and_update_and_delete_two() {
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
