//! Measures the cost of `wait_replicas`: writes to a primary with one replica on this machine.
//!
//! `cargo run --release -p pycket-redis --all-features --example waiting`

#![expect(
    clippy::print_stdout,
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
const RUN_TIME: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() {
    let (primary, replica) = (Server::redis(), Server::redis());
    ask::<()>(&primary, "CONFIG SET repl-diskless-sync-delay 0");
    ask::<()>(&replica, &format!("REPLICAOF 127.0.0.1 {}", primary.port()));
    while !ask::<String>(&primary, "INFO replication").contains("state=online") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for writers in [1, 64] {
        println!("{writers} writers:");
        for connections in [1, 4, 16] {
            for wait in [false, true] {
                let mut builder = RedisStore::builder(&primary.url()).max_connections(connections);
                if wait {
                    builder = builder.wait_replicas(1, Duration::from_millis(500));
                }
                measure(&primary, builder, writers, &label(connections, wait)).await;
            }
        }
    }
}

fn label(connections: usize, wait: bool) -> String {
    let wait = if wait { "waiting" } else { "not waiting" };
    format!("connections: {connections:2}, {wait:>11}")
}

async fn measure(primary: &Server, builder: RedisStoreBuilder, writers: usize, label: &str) {
    let store = Arc::new(builder.build().unwrap());
    let waits = wait_calls(primary);
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..writers {
        tasks.spawn(write(store.clone(), start + RUN_TIME));
    }
    let mut latencies = tasks.join_all().await.concat();
    let seconds = start.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let waits = wait_calls(primary) - waits;
    let percentile =
        |permille: usize| latencies.get(latencies.len() * permille / 1000).unwrap().as_micros();
    println!(
        "{label}: {:6.0} writes per second, median {:4} µs, 99th percentile {:5} µs; {:6.0} WAITs per second",
        latencies.len() as f64 / seconds,
        percentile(500),
        percentile(990),
        waits as f64 / seconds
    );
}

/// Writes until `end`. Returns how long each write took.
async fn write(store: Arc<RedisStore>, end: Instant) -> Vec<Duration> {
    let id = SessionId::generate();
    let metadata = Metadata::new(Timestamp::from_unix_millis(1));
    let record = Record::new(metadata, [("visits", Value::encode(&1).unwrap())]);
    assert_eq!(store.create(&id, &record, DAY).await.unwrap(), Creation::Created);
    let changes = Changes::new().set("visits", Value::encode(&2).unwrap());
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let start = Instant::now();
        assert_eq!(store.update(&id, &changes, Some(DAY)).await.unwrap(), Update::Applied);
        latencies.push(start.elapsed());
    }
    latencies
}

fn wait_calls(server: &Server) -> u64 {
    let stats: String = ask(server, "INFO commandstats");
    let calls =
        stats.split_once("cmdstat_wait:calls=").and_then(|(_, calls)| calls.split(',').next());
    calls.map_or(0, |calls| calls.parse().unwrap())
}

fn ask<T: redis::FromRedisValue>(server: &Server, command: &str) -> T {
    let client = redis::Client::open(server.url()).unwrap();
    let mut words = command.split(' ');
    let mut command = redis::cmd(words.next().unwrap());
    words.for_each(|word| _ = command.arg(word));
    command.query(&mut client.get_connection().unwrap()).unwrap()
}
