//! Requests that the server got and whose answers nobody got.

use pycket_core::Outcome;

use crate::stand_in::{Manner, StandIn};
use crate::*;

use ErrorKind::{Ambiguous, Unavailable};

const LIMIT: Duration = Duration::from_secs(20);

/// Stores whose first connection gives so many answers; the next ones are as they should be. One is cut,
/// the other falls silent.
async fn stores(answers: usize) -> [MemcacheStore; 2] {
    let server = shared().address();
    let rest = Manner::Cut(server, usize::MAX);
    let cut = StandIn::new([Manner::Cut(server, answers), rest.clone()]).await;
    let muted = StandIn::new([Manner::Muted(server, answers), rest]).await;
    [cut, muted].map(|stand_in| {
        let builder = stand_in.builder().connect_timeout(LIMIT).response_timeout(LIMIT);
        builder.build().unwrap()
    })
}

fn kind<T>(answer: Result<T, Error>) -> Option<ErrorKind> {
    answer.err().map(|error| error.kind())
}

#[tokio::test]
async fn a_create_is_ambiguous_and_may_have_happened() {
    for store in stores(0).await {
        let id = SessionId::generate();
        let new = record([("name", "value")]);
        assert_eq!(kind(store.create(&id, &new, HOUR).await), Some(Ambiguous));
        assert_eq!(store.create(&id, &new, HOUR).await.unwrap(), Creation::Taken);
        assert_eq!(stored(&store, &id).await, Some(new));
    }
}

#[tokio::test]
async fn an_update_whose_look_at_the_record_is_lost_surely_did_not_happen() {
    let id = put(&store(shared()), &record([])).await;
    let [cut, muted] = stores(0).await;
    assert_eq!(kind(muted.update(&id, &set("name", "value"), None).await), Some(Unavailable));
    assert_eq!(stored(&muted, &id).await, Some(record([])));
    // Where the connection was cut the look is repeated.
    assert_eq!(cut.update(&id, &set("name", "value"), None).await.unwrap(), Update::Applied);
    assert_eq!(stored(&cut, &id).await, Some(record([("name", "value")])));
}

#[tokio::test]
async fn an_update_whose_swap_is_not_answered_is_ambiguous_and_may_have_happened() {
    for store in stores(1).await {
        let id = put(&crate::store(shared()), &record([])).await;
        let answer = kind(store.update(&id, &set("name", "value"), None).await);
        assert_eq!(answer, Some(Ambiguous));
        assert_eq!(stored(&store, &id).await, Some(record([("name", "value")])));
    }
}

#[tokio::test]
async fn a_touch_that_is_not_answered_is_ambiguous_and_may_have_happened() {
    for store in stores(1).await {
        let id = put_for(&crate::store(shared()), &record([]), ttl(60_000)).await;
        let answer = kind(store.update(&id, &Changes::new(), Some(HOUR)).await);
        assert_eq!(answer, Some(Ambiguous));
        assert!(store.load(&id).await.unwrap().unwrap().expires_in > Duration::from_secs(3000));
    }
}

#[tokio::test]
async fn a_delete_that_is_not_answered_is_ambiguous_and_may_have_happened() {
    for store in stores(1).await {
        let id = put(&crate::store(shared()), &record([])).await;
        assert_eq!(kind(store.delete(&id).await), Some(Ambiguous));
        assert_eq!(stored(&store, &id).await, None);
    }
}

#[tokio::test]
async fn a_load_over_a_connection_that_is_cut_is_repeated() {
    let id = put(&store(shared()), &record([])).await;
    let [cut, muted] = stores(0).await;
    assert_eq!(stored(&cut, &id).await, Some(record([])));
    assert_eq!(kind(muted.load(&id).await), Some(Unavailable));
}

#[tokio::test]
async fn a_session_finds_out_what_became_of_its_changes() {
    // The session has read twice by then: once when it was opened, and once for the swap.
    for store in stores(2).await {
        let id = put(&crate::store(shared()), &record([])).await;
        let manager = manager(store);
        let session = open(&manager, id).await;
        session.set("name", "value").unwrap();
        assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
        assert_eq!(open(&manager, id).await.require::<String>("name").unwrap(), "value");
    }
}

#[tokio::test]
async fn an_increment_never_counts_twice() {
    for store in stores(2).await {
        let id = put(&crate::store(shared()), &record([])).await;
        let manager = manager(store);
        let session = open(&manager, id).await;
        let answer = session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await;
        assert_eq!(answer.unwrap_err().kind(), Ambiguous);
        assert_eq!(open(&manager, id).await.require::<u32>("n").unwrap(), 1);
    }
}
