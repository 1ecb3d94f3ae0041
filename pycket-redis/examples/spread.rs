//! Compares a cluster of three primaries with one server: time and server processor time per operation, and memory
//! per session, with 200 000 sessions in each.
//!
//! `cargo run --release -p pycket-redis --all-features --example spread [-- SESSIONS [PRIMARIES]]`

#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a measurement: it prints its results, and a panic is a failure"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use pycket_core::{
    Changes, Creation, Metadata, Record, SessionId, SessionStore, Timestamp, Ttl, Update, Value,
};
use pycket_redis::{RedisStore, RedisStoreBuilder};
use pycket_testkit::servers::Server;
use tokio::task::JoinSet;

const DAY: Ttl = Ttl::from_millis(86_400_000).unwrap();
const OPERATIONS: [&str; 3] = ["create", "load", "update"];

/// Concurrent requests, and the divisor of the number of sessions.
const LOADS: [(usize, usize); 2] = [(1, 10), (64, 1)];

/// Operations on one side before the other side gets its turn.
const TURN: usize = 10_000;

/// A store and its servers.
struct Side<'a> {
    store: Arc<RedisStore>,
    servers: &'a [Server],
}

/// The cost of one operation, in microseconds.
#[derive(Default)]
struct Cost {
    time: f64,
    /// Processor time of the servers.
    cpu: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let argument = |index| std::env::args().nth(index).map(|number| number.parse().unwrap());
    let (sessions, primaries) = (argument(1).unwrap_or(200_000), argument(2).unwrap_or(3));
    let (cluster, single) = (Server::redis_cluster(primaries), Server::redis());
    let sides = [
        Side { store: store(&single.url()), servers: std::slice::from_ref(&single) },
        Side { store: store(&cluster.url()), servers: cluster.nodes() },
    ];
    let empty = memory(&single);

    let mut stored = 0;
    for (concurrency, part) in LOADS {
        let ids: Vec<_> = (0..sessions / part).map(|_| SessionId::generate()).collect();
        stored += ids.len();
        println!(
            "concurrent requests: {concurrency}; microseconds per operation, and of Redis processor time:"
        );
        for (index, operation) in OPERATIONS.into_iter().enumerate() {
            let [single, cluster] = measure(&sides, index, &ids, concurrency).await;
            println!(
                "{operation:>8}: one server {:5.1}, {:4.1}; cluster {:5.1}, {:4.1}; ratio {:.2}",
                single.time,
                single.cpu,
                cluster.time,
                cluster.cpu,
                cluster.time / single.time
            );
        }
    }
    for (index, node) in cluster.nodes().iter().enumerate() {
        let held: usize = ask(node, "DBSIZE");
        let share = 100.0 * held as f64 / stored as f64;
        println!("primary {}: {held} sessions, {share:.1} %", index + 1);
    }
    let bytes = (memory(&single) - empty) as f64 / stored as f64;
    println!(
        "a session of three small values: {bytes:.0} bytes, {:.1} million per GB",
        1e3 / bytes
    );
}

/// Runs both sides in the same period, so that other load on the machine affects both.
async fn measure(
    sides: &[Side<'_>; 2],
    operation: usize,
    ids: &[SessionId],
    concurrency: usize,
) -> [Cost; 2] {
    let cpu_times = || sides.each_ref().map(|side| side.servers.iter().map(cpu_time).sum::<f64>());
    let before = cpu_times();
    let times = match operation {
        0 => run_both(sides, ids, concurrency, create).await,
        1 => run_both(sides, ids, concurrency, load).await,
        _ => run_both(sides, ids, concurrency, update).await,
    };
    let after = cpu_times();
    let per_operation = |seconds: f64| seconds * 1e6 / ids.len() as f64;
    [0, 1].map(|side: usize| Cost {
        time: per_operation(times[side].as_secs_f64()),
        cpu: per_operation(after[side] - before[side]),
    })
}

/// Single requests go to both sides at the same time: between them the processors sleep, and wake up more slowly
/// the longer they slept. Concurrent requests keep the processors awake, so the sides take turns.
async fn run_both<F, R>(
    sides: &[Side<'_>; 2],
    ids: &[SessionId],
    concurrency: usize,
    operation: F,
) -> [Duration; 2]
where
    F: Fn(Arc<RedisStore>, SessionId) -> R + Copy + Send + 'static,
    R: Future<Output = ()> + Send,
{
    let stores = sides.each_ref().map(|side| &side.store);
    let mut times = [Duration::ZERO; 2];
    if concurrency == 1 {
        for (index, ids) in ids.chunks(1).enumerate() {
            // The first side also waits while the second one sends. So they take turns at being first.
            let (first, last) = if index % 2 == 0 { (0, 1) } else { (1, 0) };
            let (one, other) = tokio::join!(
                run(stores[first], ids, 1, operation),
                run(stores[last], ids, 1, operation)
            );
            times[first] += one;
            times[last] += other;
        }
        return times;
    }
    for ids in ids.chunks(TURN) {
        times[0] += run(stores[0], ids, concurrency, operation).await;
        times[1] += run(stores[1], ids, concurrency, operation).await;
    }
    times
}

async fn create(store: Arc<RedisStore>, id: SessionId) {
    assert_eq!(store.create(&id, &record(), DAY).await.unwrap(), Creation::Created);
}

async fn load(store: Arc<RedisStore>, id: SessionId) {
    assert!(store.load(&id).await.unwrap().is_some());
}

async fn update(store: Arc<RedisStore>, id: SessionId) {
    let changes = Changes::new().set("visits", Value::encode(&2).unwrap());
    assert_eq!(store.update(&id, &changes, Some(DAY)).await.unwrap(), Update::Applied);
}

async fn run<F, R>(
    store: &Arc<RedisStore>,
    ids: &[SessionId],
    concurrency: usize,
    operation: F,
) -> Duration
where
    F: Fn(Arc<RedisStore>, SessionId) -> R + Copy + Send + 'static,
    R: Future<Output = ()> + Send,
{
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for task in 0..concurrency {
        let own: Vec<_> = ids.iter().skip(task).step_by(concurrency).copied().collect();
        let store = store.clone();
        tasks.spawn(async move {
            for id in own {
                operation(store.clone(), id).await;
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
    let metadata = Metadata::new(Timestamp::from_unix_millis(1));
    let text = |text: &str| Value::encode(text).unwrap();
    let values = [
        ("user", text("ann@example.org")),
        ("cart", Value::encode(&[17, 4, 1999]).unwrap()),
        ("visits", Value::encode(&1).unwrap()),
    ];
    Record::new(metadata, values)
}

/// Processor time that the server has used, in seconds.
fn cpu_time(server: &Server) -> f64 {
    let info: redis::InfoDict = ask(server, "INFO");
    let seconds = |name| info.get::<f64>(name).unwrap();
    seconds("used_cpu_user") + seconds("used_cpu_sys")
}

fn memory(server: &Server) -> u64 {
    let info: redis::InfoDict = ask(server, "INFO");
    info.get("used_memory").unwrap()
}

fn ask<T: redis::FromRedisValue>(server: &Server, command: &str) -> T {
    let client = redis::Client::open(server.url()).unwrap();
    redis::cmd(command).query(&mut client.get_connection().unwrap()).unwrap()
}
