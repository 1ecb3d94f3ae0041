//! Measures how long writes fail while a primary is replaced or a server restarts, and how many acknowledged
//! writes are lost.
//!
//! `cargo run --release -p pycket-redis --all-features --example outages [-- MILLIONS]`

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement: it prints its results, and a panic is a failure"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pycket_core::{
    Changes, Creation, KeySpace, Metadata, Record, SessionId, SessionStore, Timestamp, Ttl, Update,
    Value,
};
use pycket_redis::{RedisStore, RedisStoreBuilder};
use pycket_testkit::servers::{RedisSentinel, Server};

const DAY: Ttl = Ttl::from_millis(86_400_000).unwrap();

#[tokio::main]
async fn main() {
    let millions = std::env::args().nth(1).map_or(1.0, |number| number.parse().unwrap());
    for replicas in 0..=2 {
        let kill = |watched: &RedisSentinel| watched.primary().kill();
        sentinel("killed primary behind sentinels", replicas, kill).await;
        sentinel("SENTINEL FAILOVER", replicas, fail_over).await;
    }
    let refuse_and_fail_over = |watched: &RedisSentinel| {
        ask::<()>(watched.primary(), "CONFIG SET min-replicas-to-write 2");
        fail_over(watched);
    };
    sentinel("SENTINEL FAILOVER after min-replicas-to-write 2", 0, refuse_and_fail_over).await;
    cluster("killed primary of a cluster", |primary, _| primary.kill()).await;
    cluster("CLUSTER FAILOVER", |_, replica| ask::<()>(replica, "CLUSTER FAILOVER")).await;
    restart(millions).await;
}

fn fail_over(watched: &RedisSentinel) {
    let command = format!("SENTINEL FAILOVER {}", watched.service());
    ask::<()>(watched.sentinels().first().unwrap(), &command);
}

/// Measures one failover of a primary with two replicas. The writer waits for `replicas` of them.
async fn sentinel(label: &str, replicas: u32, disrupt: impl FnOnce(&RedisSentinel)) {
    let watched = Server::redis_sentinel();
    let mut store = RedisStore::builder(&watched.url());
    if replicas > 0 {
        store = store.wait_replicas(replicas, Duration::from_millis(500));
    }
    let writer = Writer::begin(store, |_| true).await;
    disrupt(&watched);
    let start = Instant::now();
    while is_primary(watched.primary()) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    println!("{label}: the old primary lost its role after {:.1?}", start.elapsed());
    writer.end(&format!("{label}, wait_replicas {replicas}")).await;
}

fn is_primary(server: &Server) -> bool {
    let info =
        redis::Client::open(server.url()).unwrap().get_connection().and_then(|mut connection| {
            redis::cmd("INFO").arg("replication").query::<String>(&mut connection)
        });
    info.is_ok_and(|info| info.contains("role:master"))
}

/// Measures one failover of the node that owns the session.
async fn cluster(label: &str, disrupt: impl FnOnce(&Server, &Server)) {
    let cluster = Server::redis_cluster_with_replicas(3, 1);
    let (primary, replicas) = cluster.shards().next().unwrap();
    let is_here = |id: &SessionId| {
        let slot = format!("CLUSTER KEYSLOT {}", key(id));
        ask::<u32>(primary, &slot) < 16_384 / 3
    };
    let writer = Writer::begin(RedisStore::builder(&cluster.url()), is_here).await;
    disrupt(primary, replicas.first().unwrap());
    writer.end(label).await;
}

/// Measures the restart of a server that reads its sessions from an append-only file: first from a file with
/// every write, then from a rewritten one.
async fn restart(millions: f64) {
    let server = Arc::new(Server::redis_persistent());
    ask::<()>(&server, "CONFIG SET appendfsync no");
    ask::<()>(&server, "CONFIG SET auto-aof-rewrite-percentage 0");
    fill(&server, (millions * 1e6) as usize);
    let sessions: usize = ask(&server, "DBSIZE");
    for label in ["every write", "rewritten"] {
        if label == "rewritten" {
            ask::<String>(&server, "BGREWRITEAOF");
            while number(&server, "aof_rewrite_in_progress")
                + number(&server, "aof_rewrite_scheduled")
                > 0.0
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        let [memory, file] =
            ["used_memory", "aof_current_size"].map(|name| number(&server, name) / 1e6);
        println!(
            "{sessions} sessions: {memory:.0} MB of memory, append-only file ({label}) of {file:.0} MB"
        );
        let writer = Writer::begin(RedisStore::builder(&server.url()), |_| true).await;
        let start = Instant::now();
        let restarted = server.clone();
        tokio::task::spawn_blocking(move || restarted.restart()).await.unwrap();
        println!("the server replies after {:.2?}", start.elapsed());
        writer.end("restart").await;
    }
}

fn number(server: &Server, name: &str) -> f64 {
    ask::<redis::InfoDict>(server, "INFO").get(name).unwrap()
}

fn fill(server: &Server, sessions: usize) {
    let mut connection = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    for _ in 0..sessions / 1000 {
        let mut pipeline = redis::Pipeline::new();
        for _ in 0..1000 {
            let key = key(&SessionId::generate());
            let fields = [
                ("", "0123456789"),
                ("user", "ann@example.org"),
                ("cart", "1234567"),
                ("visits", "1"),
            ];
            pipeline.hset_multiple(&key, &fields).ignore().pexpire(&key, 86_400_000).ignore();
        }
        pipeline.exec(&mut connection).unwrap();
    }
}

/// One client that writes all the time with the default settings.
struct Writer {
    is_stopped: Arc<AtomicBool>,
    writing: tokio::task::JoinHandle<Written>,
}

struct Written {
    /// The longest time between two successful writes.
    longest_gap: Duration,
    errors: Vec<pycket_core::ErrorKind>,
    /// Acknowledged writes.
    acknowledged: usize,
    /// How many of them are lost.
    lost: usize,
}

impl Writer {
    async fn begin(store: RedisStoreBuilder, is_wanted: impl Fn(&SessionId) -> bool) -> Self {
        let store = store.build().unwrap();
        let id = std::iter::repeat_with(SessionId::generate).find(|id| is_wanted(id)).unwrap();
        let metadata = Metadata::new(Timestamp::from_unix_millis(1));
        let record = Record::new(metadata, [("visits", Value::encode(&1).unwrap())]);
        assert_eq!(store.create(&id, &record, DAY).await.unwrap(), Creation::Created);
        let is_stopped = Arc::new(AtomicBool::new(false));
        let writing = tokio::spawn(write(store, id, is_stopped.clone()));
        // Write for a while before the disruption.
        tokio::time::sleep(Duration::from_millis(500)).await;
        Self { is_stopped, writing }
    }

    /// Stops the writer long after the servers recovered, and prints the result.
    async fn end(self, label: &str) {
        tokio::time::sleep(Duration::from_secs(8)).await;
        self.is_stopped.store(true, Ordering::SeqCst);
        let Written { longest_gap, errors, acknowledged, lost } = self.writing.await.unwrap();
        println!(
            "{label}: {longest_gap:.2?} without a write, errors {errors:?}, {lost} of {acknowledged} writes lost"
        );
    }
}

/// Adds one name per write.
async fn write(store: RedisStore, id: SessionId, is_stopped: Arc<AtomicBool>) -> Written {
    let mut written =
        Written { longest_gap: Duration::ZERO, errors: Vec::new(), acknowledged: 0, lost: 0 };
    let mut names = Vec::new();
    let mut last = Instant::now();
    for step in 0.. {
        if is_stopped.load(Ordering::SeqCst) {
            break;
        }
        let name = step.to_string();
        let changes = Changes::new().set(name.as_str(), Value::encode(&step).unwrap());
        match store.update(&id, &changes, Some(DAY)).await {
            Ok(Update::Applied) => {
                written.longest_gap = written.longest_gap.max(last.elapsed());
                last = Instant::now();
                names.push(name);
            }
            Ok(other) => println!("the session is lost: {other:?}"),
            Err(error) => written.errors.push(error.kind()),
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let found = loop {
        if let Ok(found) = store.load(&id).await {
            break found.unwrap().record;
        }
    };
    written.acknowledged = names.len();
    written.lost = names.iter().filter(|name| found.get(name).is_none()).count();
    written
}

fn key(id: &SessionId) -> String {
    KeySpace::new(KeySpace::DEFAULT_PREFIX, KeySpace::SESSIONS).key(id)
}

fn ask<T: redis::FromRedisValue>(server: &Server, command: &str) -> T {
    let client = redis::Client::open(server.url()).unwrap();
    let mut words = command.split(' ');
    let mut command = redis::cmd(words.next().unwrap());
    words.for_each(|word| _ = command.arg(word));
    command.query(&mut client.get_connection().unwrap()).unwrap()
}
