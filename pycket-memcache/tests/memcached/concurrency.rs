//! Two servers of one application, and many requests of one visitor.

use std::time::Instant;

use pycket_core::Outcome;
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
        // All load before the first one writes.
        let session = open(&managers[number % 2], id).await;
        requests.spawn(request(session, number));
    }
    requests.join_all().await;
}

#[test]
fn sixty_four_concurrent_writes_of_different_names_are_all_there() {
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
fn sixty_four_concurrent_increments_count_sixty_four() {
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
async fn a_session_that_ended_stays_ended_whoever_comes_late() {
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
    assert_eq!(Operator::new(shared()).get(&key(&id)), None);
}

/// Each writer counts its own updates in the record, all of them at once, through two stores.
#[test]
fn writers_that_hammer_one_record_for_seconds_lose_nothing_and_try_but_a_few_times() {
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
        let mut operator = Operator::new(&server);
        let (won, lost) = (operator.count("cas_hits"), operator.count("cas_badval"));
        let fewest = written.iter().map(|(_, count, _)| *count).min().unwrap();
        println!(
            "{total} updates ({fewest} at least), {won} won, {lost} lost, the longest took {longest:?}"
        );
        assert_eq!(won, total);
        assert!(lost < 4 * total, "{lost} attempts lost for {total} updates");
    });
}
