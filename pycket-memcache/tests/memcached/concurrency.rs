//! Many concurrent requests of one client, on two servers of one application.

use std::time::Instant;

use pycket_core::Outcome;
use pycket_testkit::block_on;
use tokio::task::JoinSet;

use crate::*;

const REQUESTS: usize = 64;

/// Half of the requests use another store.
async fn at_once<F, R>(id: SessionId, request: F)
where
    F: Fn(Session, usize) -> R,
    R: Future<Output = ()> + Send + 'static,
{
    let managers = [manager(store(shared())), manager(store(shared()))];
    let mut requests = JoinSet::new();
    for number in 0..REQUESTS {
        // All sessions are loaded before the first one is written.
        let session = open(&managers[number % 2], id).await;
        requests.spawn(request(session, number));
    }
    requests.join_all().await;
}

#[test]
fn concurrent_writes_of_64_names_are_all_stored() {
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
fn concurrent_increments_count_to_64() {
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

#[tokio::test]
async fn ended_session_stays_ended_after_late_writes() {
    let (one, two) = (manager(store(shared())), manager(store(shared())));
    let id = put(&store(shared()), &record([("name", "value")])).await;
    let (writer, incrementer, reader) =
        (open(&one, id).await, open(&one, id).await, open(&two, id).await);
    let logout = open(&two, id).await;
    logout.destroy();
    assert_eq!(logout.commit().await.unwrap(), Outcome::Destroyed);

    writer.set("late", &true).unwrap();
    assert_eq!(writer.commit().await.unwrap(), Outcome::Ended);
    let late = incrementer.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Ended);
    assert_eq!(touch(&store(shared()), &id, HOUR).await, Update::Ended);
    assert_eq!(reader.require::<String>("name").unwrap(), "value");
    assert!(one.open(Some(id)).await.unwrap().is_new());
    assert_eq!(RawClient::new(shared()).get(&key(&id)), None);
}

/// Each writer counts its own updates in the record. They run concurrently, on two stores.
#[test]
fn writers_of_one_record_lose_nothing_and_retry_rarely() {
    const DURATION: Duration = Duration::from_secs(2);
    let server = Server::memcached();
    block_on(async {
        let stores = [store(&server), store(&server)].map(Arc::new);
        let id = put(&*stores[0], &record([])).await;
        let end = Instant::now() + DURATION;
        let writers = (0..REQUESTS).map(|number| {
            let store = stores[number % 2].clone();
            async move {
                let (name, mut count, mut longest) = (number.to_string(), 0_u32, Duration::ZERO);
                while Instant::now() < end {
                    let changes = Changes::new().set(&*name, Value::encode(&(count + 1)).unwrap());
                    let start = Instant::now();
                    let answer = store.update(&id, &changes, Some(HOUR)).await.unwrap();
                    longest = longest.max(start.elapsed());
                    assert_eq!(answer, Update::Applied);
                    count += 1;
                }
                (name, count, longest)
            }
        });
        let written = writers.collect::<JoinSet<_>>().join_all().await;
        let found = stored(&*stores[1], &id).await.unwrap();
        for (name, count, _) in &written {
            assert_eq!(found.get(name), Some(&Value::encode(count).unwrap()));
        }
        let total: u64 = written.iter().map(|(_, count, _)| u64::from(*count)).sum();
        let longest = written.iter().map(|(.., longest)| longest).max().unwrap();
        let mut raw_client = RawClient::new(&server);
        let (won, lost) = (raw_client.stat("cas_hits"), raw_client.stat("cas_badval"));
        let fewest = written.iter().map(|(_, count, _)| *count).min().unwrap();
        println!(
            "{total} updates (at least {fewest} per writer), {won} swaps, {lost} conflicts, the slowest took {longest:?}"
        );
        assert_eq!(won, total);
        assert!(lost < 4 * total, "{lost} conflicts for {total} updates");
    });
}
