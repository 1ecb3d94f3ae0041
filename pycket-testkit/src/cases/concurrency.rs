//! Many callers at the same time, half of them on another server.

use std::sync::Arc;
use std::time::Duration;

use pycket_core::{Changes, Creation, Record, SessionId, Update, Value};
use tokio::sync::Barrier;
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::Harness;
use crate::check::{answered, check, ensure};
use crate::fixtures::{
    HOUR, METADATA, Store, all, joined, number, open_two, put, record, stored, text,
};

const CALLERS: usize = 64;
const ROUNDS: usize = 8;

/// Of many creates of one id at the same time exactly one returns `Created`, and its record is stored.
pub async fn one_of_many_creates_succeeds(harness: &dyn Harness) {
    let stores = open_two(harness).await;
    for _ in 0..ROUNDS {
        let id = SessionId::generate();
        let answers = at_once(&stores, move |caller, store| async move {
            let answer = store.create(&id, &of_caller(caller), HOUR).await;
            (caller, answered("a create", answer))
        });
        let winners: Vec<_> = answers
            .await
            .into_iter()
            .filter(|(_, answer)| *answer == Creation::Created)
            .map(|(caller, _)| caller)
            .collect();
        let [winner] = winners[..] else {
            panic!("one of many creates\n  expected: one `Created`\n  got:      {winners:?}");
        };
        check("the record", stored(&stores[0], &id).await, Some(of_caller(winner)));
    }
}

/// Updates of different names at the same time all survive.
pub async fn concurrent_updates_of_different_names_survive(harness: &dyn Harness) {
    let stores = open_two(harness).await;
    let id = put(&stores[0], &record([("before", "x")]), HOUR).await;
    at_once(&stores, move |caller, store| async move {
        for (name, value) in of_caller(caller).iter() {
            let changes = Changes::new().set(name, value.clone());
            check("an update", store.update(&id, &changes, None).await, Update::Applied);
        }
    })
    .await;
    let mut expected = record([("before", "x")]);
    for caller in 0..CALLERS {
        let own = of_caller(caller);
        expected.apply(&own.iter().fold(Changes::new(), |all, (name, v)| all.set(name, v.clone())));
    }
    check("the record", stored(&stores[1], &id).await, Some(expected));
}

/// A touch changes no data: it undoes no update that runs at the same time.
pub async fn touch_undoes_no_concurrent_update(harness: &dyn Harness) {
    const ROUNDS: usize = 4;
    let name = |caller, round| format!("name {caller} {round}");
    let stores = open_two(harness).await;
    let id = put(&stores[0], &record([]), HOUR).await;
    at_once(&stores, move |caller, store| async move {
        for round in 0..ROUNDS {
            let changes = Changes::new().set(name(caller, round), text("x"));
            check("an update", store.update(&id, &changes, None).await, Update::Applied);
            let touch = store.update(&id, &Changes::new(), Some(HOUR)).await;
            check("a touch", touch, Update::Applied);
        }
    })
    .await;
    let names = (0..CALLERS).flat_map(|caller| (0..ROUNDS).map(move |round| name(caller, round)));
    let expected = Record::new(METADATA, names.map(|name| (name, text("x"))));
    check("the record", stored(&stores[1], &id).await, Some(expected));
}

/// Many callers who increment a number, each expecting the number that it read and retrying after a
/// conflict, count exactly.
pub async fn compare_and_swap_counts_every_increment(harness: &dyn Harness) {
    let stores = open_two(harness).await;
    let id = put(&stores[0], &Record::new(METADATA, [("n", number(0))]), HOUR).await;
    at_once(&stores, move |_, store| async move {
        loop {
            let record = answered("a load", stored(&store, &id).await).expect("a live record");
            let read = decoded(&record, "n");
            let changes = Changes::new().expect("n", Some(number(read))).set("n", number(read + 1));
            match answered("an increment", store.update(&id, &changes, None).await) {
                Update::Applied => break,
                Update::Conflict => yield_now().await,
                Update::Ended => panic!(
                    "an increment of a live record\n  expected: Applied or Conflict\n  got:      Ended"
                ),
            }
        }
    })
    .await;
    let counted = Record::new(METADATA, [("n", number(CALLERS as u64))]);
    check("the record", stored(&stores[1], &id).await, Some(counted));
}

/// Of many deletes of one id at the same time exactly one returns the record, and returns it whole.
pub async fn one_of_many_deletes_returns_the_record(harness: &dyn Harness) {
    let stores = open_two(harness).await;
    for _ in 0..ROUNDS {
        let created = record([("user", "ann"), ("cart", "apples")]);
        let id = put(&stores[0], &created, HOUR).await;
        let answers = at_once(&stores, move |_, store| async move {
            answered("a delete", store.delete(&id).await)
        });
        let returned: Vec<_> = answers.await.into_iter().flatten().collect();
        ensure("deletes that returned a record", 1, returned.len(), returned.len() == 1);
        check("the returned record", Ok(returned.into_iter().next()), Some(created));
    }
}

/// A load sees all of an update or none of it.
pub async fn load_never_sees_half_an_update(harness: &dyn Harness) {
    const LAST: u64 = 300;
    let [writer, reader] = open_two(harness).await;
    let both = |n| Changes::new().set("left", number(n)).set("right", number(n));
    let mut first = record([]);
    first.apply(&both(0));
    let id = put(&writer, &first, HOUR).await;
    let write = async move {
        for n in 1..=LAST {
            check("an update", writer.update(&id, &both(n), None).await, Update::Applied);
        }
    };
    let writing = tokio::spawn(write);
    let (mut seen, mut repeats) = (0, 0);
    loop {
        // Before the load, so that the load after the last update is compared, too.
        let is_over = writing.is_finished();
        let record = answered("a load", stored(&reader, &id).await).expect("a live record");
        let [left, right] = ["left", "right"].map(|name| decoded(&record, name));
        ensure("two names that every update sets together", left, right, left == right);
        if is_over {
            joined(writing.await);
            ensure("the number of the last update", LAST, left, left == LAST);
            break;
        }
        repeats = if left == seen { repeats + 1 } else { 0 };
        seen = left;
        if repeats < 8 {
            yield_now().await;
        } else {
            // The writer waits, so more loads would find the same.
            sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Updates that run at the same time as a delete never bring the record back.
pub async fn update_during_a_delete_revives_nothing(harness: &dyn Harness) {
    let stores = open_two(harness).await;
    for _ in 0..ROUNDS {
        let id = put(&stores[0], &record([("user", "ann")]), HOUR).await;
        at_once(&stores, move |caller, store| async move {
            if caller == CALLERS / 2 {
                let deleted = answered("the delete", store.delete(&id).await).is_some();
                return ensure("the only delete", "the record", "nothing", deleted);
            }
            let changes = Changes::new().set("user", text("eve"));
            let ttl = [None, Some(HOUR)][caller % 2];
            let answer = answered("an update", store.update(&id, &changes, ttl).await);
            ensure("an update", "no Conflict", answer, answer != Update::Conflict);
        })
        .await;
        check("a load after all calls", stored(&stores[1], &id).await, None);
        let late = Changes::new().set("user", text("eve"));
        check("an update after all calls", stores[1].update(&id, &late, None).await, Update::Ended);
    }
}

/// Runs all callers at the same moment, every second one on the other server.
async fn at_once<T, C>(stores: &[Store; 2], call: impl Fn(usize, Store) -> C) -> Vec<T>
where
    T: Send + 'static,
    C: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(CALLERS));
    all((0..CALLERS).map(|caller| {
        let (start, call) = (start.clone(), call(caller, stores[caller % 2].clone()));
        async move {
            start.wait().await;
            call.await
        }
    }))
    .await
}

/// Values under names that no other caller uses.
fn of_caller(caller: usize) -> Record {
    let names = ["one", "two", "three"].map(|part| format!("{caller} {part}"));
    Record::new(METADATA, names.map(|name| (name.clone(), text(&name))))
}

fn decoded(record: &Record, name: &str) -> u64 {
    record.get(name).and_then(|value: &Value| value.decode().ok()).expect("a number")
}
