//! Two servers of one application, and many requests of one client.

use pycket_testkit::block_on;
use tokio::task::JoinSet;

use crate::*;

const REQUESTS: usize = 64;

/// Every second request goes through another store.
async fn at_once<F, R>(id: SessionId, request: F)
where
    F: Fn(Session, usize) -> R,
    R: Future<Output = ()> + Send + 'static,
{
    let managers = [manager(store(shared())), manager(store(shared()))];
    let mut requests = JoinSet::new();
    for number in 0..REQUESTS {
        // All requests load the session before the first one writes.
        let session = open(&managers[number % 2], id).await;
        requests.spawn(request(session, number));
    }
    requests.join_all().await;
}

#[test]
fn concurrent_writes_of_different_names_are_all_kept() {
    block_on(async {
        let store = store(shared());
        let id = put(&store, &record([])).await;
        at_once(id, |session, number| async move {
            session.set(&format!("name {number}"), &number).unwrap();
            session.commit().await.unwrap();
        })
        .await;
        let found = stored(&store, &id).await.unwrap();
        assert_eq!(found.len(), REQUESTS);
        for number in 0..REQUESTS {
            let value = found.get(&format!("name {number}"));
            assert_eq!(value, Some(&Value::encode(&number).unwrap()));
        }
    });
}

#[test]
fn concurrent_increments_are_all_counted() {
    block_on(async {
        let store = store(shared());
        let id = put(&store, &record([])).await;
        at_once(id, |session, _| async move {
            session.update("n", |n: Option<usize>| n.unwrap_or(0) + 1).await.unwrap();
        })
        .await;
        let found = stored(&store, &id).await.unwrap();
        assert_eq!(found.get("n"), Some(&Value::encode(&REQUESTS).unwrap()));
    });
}
