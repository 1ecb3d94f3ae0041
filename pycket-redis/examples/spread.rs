//! Measures what a cluster costs and what a session weighs: two hundred thousand sessions in a cluster of
//! three primaries and in one server, side by side.
//!
//! `cargo run --release -p pycket-redis --all-features --example spread [-- SESSIONS]`

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement: it prints, and a panic is a failure"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use pycket_core::{
    Changes, Creation, Metadata, Record, SessionId, SessionStore, Timestamp, Ttl, Update, Value,
};
use pycket_redis::{RedisStore, RedisStoreBuilder};
use pycket_testkit::Server;
use tokio::task::JoinSet;

const DAY: Ttl = Ttl::from_millis(86_400_000).unwrap();
const ROUND: usize = 10_000;

/// How many requests there are at a time, and what part of the sessions they are for.
const LOADS: [(usize, usize); 2] = [(1, 10), (64, 1)];

/// The time that went into each kind of operation.
#[derive(Default)]
struct Times([Duration; 3]);

#[tokio::main]
async fn main() {
    let sessions = std::env::args().nth(1).map_or(200_000, |number| number.parse().unwrap());
    let (cluster, single) = (Server::redis_cluster(3), Server::redis());
    let stores = [store(&single.url()), store(&cluster.url())];
    let empty = memory(&single);

    let mut stored = 0;
    for (at_once, part) in LOADS {
        let sessions = sessions / part;
        stored += sessions;
        // Turn about, so that whatever else the machine does meets both.
        let mut times = [Times::default(), Times::default()];
        for first in (0..sessions).step_by(ROUND / part) {
            let count = (ROUND / part).min(sessions - first);
            for (store, times) in stores.iter().zip(&mut times) {
                times.measure(store, count, at_once).await;
            }
        }
        let [alone, together] =
            times.map(|times| times.0.map(|time| per_operation(time, sessions)));
        println!("requests at a time: {at_once}; microseconds an operation:");
        for (index, operation) in ["create", "load", "update"].into_iter().enumerate() {
            let (alone, together) = (alone.get(index).unwrap(), together.get(index).unwrap());
            println!(
                "{operation:>8}: one server {alone:6.1}, cluster {together:6.1}, ratio {:.2}",
                together / alone
            );
        }
    }
    for (index, node) in cluster.nodes().iter().enumerate() {
        let held: usize = ask(node, "DBSIZE");
        let share = 100.0 * held as f64 / stored as f64;
        println!("primary {}: {held} sessions, {share:.1} %", index + 1);
    }
    let weight = (memory(&single) - empty) as f64 / stored as f64;
    println!(
        "a session of three small values: {weight:.0} bytes, {:.1} million a GB",
        1e3 / weight
    );
}

impl Times {
    async fn measure(&mut self, store: &Arc<RedisStore>, count: usize, at_once: usize) {
        let ids: Arc<[SessionId]> = (0..count).map(|_| SessionId::generate()).collect();
        let [create, load, update] = &mut self.0;
        *create += each(store, &ids, at_once, |store, id| async move {
            assert_eq!(store.create(&id, &record(), DAY).await.unwrap(), Creation::Created);
        })
        .await;
        *load += each(store, &ids, at_once, |store, id| async move {
            assert!(store.load(&id).await.unwrap().is_some());
        })
        .await;
        *update += each(store, &ids, at_once, |store, id| async move {
            let changes = Changes::new().set("visits", Value::encode(&2).unwrap());
            let updated = store.update(&id, &changes, Some(DAY)).await.unwrap();
            assert_eq!(updated, Update::Applied);
        })
        .await;
    }
}

async fn each<F, R>(
    store: &Arc<RedisStore>,
    ids: &Arc<[SessionId]>,
    at_once: usize,
    operation: F,
) -> Duration
where
    F: Fn(Arc<RedisStore>, SessionId) -> R + Copy + Send + 'static,
    R: Future<Output = ()> + Send,
{
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for task in 0..at_once {
        let (store, ids) = (store.clone(), ids.clone());
        tasks.spawn(async move {
            for id in ids.iter().skip(task).step_by(at_once) {
                operation(store.clone(), *id).await;
            }
        });
    }
    tasks.join_all().await;
    start.elapsed()
}

fn store(url: &str) -> Arc<RedisStore> {
    let builder: RedisStoreBuilder = RedisStore::builder(url);
    Arc::new(builder.response_timeout(Duration::from_secs(60)).build().unwrap())
}

fn record() -> Record {
    let metadata = Metadata { created: Timestamp::from_unix_millis(1), lifetime: None };
    let text = |text: &str| Value::encode(text).unwrap();
    let values = [
        ("user", text("ann@example.org")),
        ("cart", Value::encode(&[17, 4, 1999]).unwrap()),
        ("visits", Value::encode(&1).unwrap()),
    ];
    Record::new(metadata, values)
}

fn per_operation(time: Duration, operations: usize) -> f64 {
    time.as_secs_f64() * 1e6 / operations as f64
}

fn memory(server: &Server) -> u64 {
    let info: redis::InfoDict = ask(server, "INFO");
    info.get("used_memory").unwrap()
}

fn ask<T: redis::FromRedisValue>(server: &Server, command: &str) -> T {
    let client = redis::Client::open(server.url()).unwrap();
    redis::cmd(command).query(&mut client.get_connection().unwrap()).unwrap()
}
