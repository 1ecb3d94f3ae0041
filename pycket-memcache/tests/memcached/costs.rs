//! What the methods cost, by the server's own counters.

use crate::stand_in::{Manner, StandIn};
use crate::*;

#[tokio::test]
async fn reading_and_creating_are_one_round_trip_and_changing_and_deleting_two() {
    let stand_in = StandIn::new([Manner::Cut(shared().address(), usize::MAX)]).await;
    let store = stand_in.builder().build().unwrap();
    let mut id = SessionId::generate();
    let mut asked = 0;
    let mut cost = || {
        let before = std::mem::replace(&mut asked, stand_in.asked());
        asked - before
    };
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
    assert_eq!(store.update(&id, &set("name", "other"), None).await.unwrap(), Update::Gone);
    assert_eq!(store.delete(&id).await.unwrap(), None);
    assert_eq!(cost(), 3, "what is missing costs one");
}
