//! Measures what a cluster costs, what an operation costs the server, and what a session weighs: two hundred
//! thousand sessions in a cluster of three primaries and in one server, side by side.
//!
//! `cargo run --release -p pycket-redis --all-features --example spread [-- SESSIONS [PRIMARIES]]`

#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
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
const OPERATIONS: [&str; 3] = ["create", "load", "update"];

/// How many requests there are at a time, and what part of the sessions they are for.
const LOADS: [(usize, usize); 2] = [(1, 10), (64, 1)];

/// As many go to the one server before as many go to the cluster.
const TURN: usize = 10_000;

/// A store, and the servers behind it.
struct Place<'a> {
    store: Arc<RedisStore>,
    servers: &'a [Server],
}

/// What an operation takes, in microseconds.
#[derive(Default)]
struct Cost {
    time: f64,
    /// How long it keeps a processor of the servers busy.
    work: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let argument = |place| std::env::args().nth(place).map(|number| number.parse().unwrap());
    let (sessions, primaries) = (argument(1).unwrap_or(200_000), argument(2).unwrap_or(3));
    let (cluster, single) = (Server::redis_cluster(primaries), Server::redis());
    let places = [
        Place { store: store(&single.url()), servers: std::slice::from_ref(&single) },
        Place { store: store(&cluster.url()), servers: cluster.nodes() },
    ];
    let empty = memory(&single);

    let mut stored = 0;
    for (at_once, part) in LOADS {
        let ids: Vec<_> = (0..sessions / part).map(|_| SessionId::generate()).collect();
        stored += ids.len();
        println!(
            "requests at a time: {at_once}; microseconds an operation, those of a processor of Redis:"
        );
        for (index, operation) in OPERATIONS.into_iter().enumerate() {
            let [alone, together] = measure(&places, index, &ids, at_once).await;
            println!(
                "{operation:>8}: one server {:5.1}, {:4.1}; cluster {:5.1}, {:4.1}; ratio {:.2}",
                alone.time,
                alone.work,
                together.time,
                together.work,
                together.time / alone.time
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

/// Side by side, so that whatever else the machine does meets both.
async fn measure(
    places: &[Place<'_>; 2],
    operation: usize,
    ids: &[SessionId],
    at_once: usize,
) -> [Cost; 2] {
    let works = || places.each_ref().map(|place| place.servers.iter().map(work).sum::<f64>());
    let before = works();
    let times = match operation {
        0 => sides(places, ids, at_once, create).await,
        1 => sides(places, ids, at_once, load).await,
        _ => sides(places, ids, at_once, update).await,
    };
    let after = works();
    let per_operation = |seconds: f64| seconds * 1e6 / ids.len() as f64;
    [0, 1].map(|place: usize| Cost {
        time: per_operation(times[place].as_secs_f64()),
        work: per_operation(after[place] - before[place]),
    })
}

/// A single request finds processors that are asleep, and the longer ago the last one was the deeper. So one
/// goes to each place at the same moment; more of them keep the processors awake, and go turn about.
async fn sides<F, R>(
    places: &[Place<'_>; 2],
    ids: &[SessionId],
    at_once: usize,
    operation: F,
) -> [Duration; 2]
where
    F: Fn(Arc<RedisStore>, SessionId) -> R + Copy + Send + 'static,
    R: Future<Output = ()> + Send,
{
    let [alone, together] = places.each_ref().map(|place| &place.store);
    let mut times = [Duration::ZERO; 2];
    if at_once == 1 {
        for (index, ids) in ids.chunks(1).enumerate() {
            // Who comes first waits for the other one to be sent.
            let (first, last) = if index % 2 == 0 { (0, 1) } else { (1, 0) };
            let stores = [alone, together];
            let (one, other) = tokio::join!(
                each(stores[first], ids, 1, operation),
                each(stores[last], ids, 1, operation)
            );
            times[first] += one;
            times[last] += other;
        }
        return times;
    }
    for ids in ids.chunks(TURN) {
        times[0] += each(alone, ids, at_once, operation).await;
        times[1] += each(together, ids, at_once, operation).await;
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

async fn each<F, R>(
    store: &Arc<RedisStore>,
    ids: &[SessionId],
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
        let own: Vec<_> = ids.iter().skip(task).step_by(at_once).copied().collect();
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

/// How many seconds the server has kept a processor busy.
fn work(server: &Server) -> f64 {
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
