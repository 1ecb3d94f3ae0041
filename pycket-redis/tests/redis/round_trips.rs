//! The cost of requests, from the counters of the server.

use std::collections::BTreeMap;

use pycket_core::Outcome;

use crate::*;

/// The counters of the server.
#[derive(Debug, PartialEq)]
struct Cost {
    /// How often it read from a socket: once per round trip.
    round_trips: u64,
    /// All commands, including those of scripts.
    commands: BTreeMap<String, u64>,
    bytes: u64,
}

struct Meter {
    _server: Server,
    operator: redis::Connection,
    manager: SessionManager,
}

impl Meter {
    /// The store is connected, and the server has the scripts.
    async fn new() -> Self {
        let server = Server::redis();
        let store = store(&server);
        // This sends every script to the server.
        assert_eq!(kinds(&store).await, [None; 4]);
        let absent = SessionId::generate();
        for ttl in [None, Some(HOUR)] {
            let updated = store.update(&absent, &set("name", "value"), ttl).await;
            assert_eq!(updated.unwrap(), pycket_core::Update::Ended);
        }
        Self { operator: operator(&server), manager: manager(store), _server: server }
    }

    async fn of<T>(&mut self, request: impl Future<Output = T>) -> (Cost, T) {
        let () = run(&mut self.operator, "CONFIG RESETSTAT");
        let answer = request.await;
        let info: redis::InfoDict = run(&mut self.operator, "INFO all");
        let own = ["config", "config|resetstat", "info"];
        let commands = String::from_utf8(
            redis::cmd("INFO").arg("commandstats").query(&mut self.operator).unwrap(),
        )
        .unwrap();
        let commands = commands
            .lines()
            .filter_map(|line| line.strip_prefix("cmdstat_")?.split_once(":calls="))
            .filter(|(name, _)| !own.contains(name))
            .map(|(name, rest)| (name.to_owned(), rest.split(',').next().unwrap().parse().unwrap()))
            .collect();
        // This command itself is counted.
        let round_trips = info.get::<u64>("total_reads_processed").unwrap() - 1;
        let bytes = info.get("total_net_input_bytes").unwrap();
        (Cost { round_trips, commands, bytes }, answer)
    }

    async fn session(&self) -> SessionId {
        let session = self.manager.open(None).await.unwrap();
        session.set("name", "value").unwrap();
        session.commit().await.unwrap();
        session.id().unwrap()
    }
}

impl Cost {
    fn is(&self, round_trips: u64, commands: &[(&str, u64)]) {
        let expected = commands.iter().map(|(name, calls)| ((*name).to_owned(), *calls)).collect();
        assert_eq!((self.round_trips, &self.commands), (round_trips, &expected));
    }
}

#[tokio::test]
async fn session_that_stores_nothing_costs_no_round_trip() {
    let mut meter = Meter::new().await;
    let manager = meter.manager.clone();
    let (cost, outcome) = meter
        .of(async {
            let session = manager.open(None).await.unwrap();
            assert_eq!(session.get::<String>("name").unwrap(), None);
            session.commit().await.unwrap()
        })
        .await;
    assert_eq!(outcome, Outcome::Unchanged);
    cost.is(0, &[]);
}

#[tokio::test]
async fn read_is_one_round_trip() {
    let mut meter = Meter::new().await;
    let id = meter.session().await;
    let manager = meter.manager.clone();
    let (cost, outcome) = meter
        .of(async {
            let session = open(&manager, id).await;
            assert_eq!(session.require::<String>("name").unwrap(), "value");
            session.commit().await.unwrap()
        })
        .await;
    assert_eq!(outcome, Outcome::Unchanged);
    cost.is(1, &[("hgetall", 1), ("pttl", 1)]);
}

#[tokio::test]
async fn write_is_a_second_round_trip_with_one_write() {
    let mut meter = Meter::new().await;
    let id = meter.session().await;
    let manager = meter.manager.clone();
    let (cost, outcome) = meter
        .of(async {
            let session = open(&manager, id).await;
            session.set("name", "other").unwrap();
            session.set("more", "value").unwrap();
            session.commit().await.unwrap()
        })
        .await;
    assert_eq!(outcome, Outcome::Updated);
    let script = [("evalsha", 1), ("hset", 1), ("pexpire", 1)];
    cost.is(2, &[&[("hgetall", 1), ("pttl", 1)], &script[..]].concat());
}

#[tokio::test]
async fn increment_is_one_round_trip_after_the_load() {
    let mut meter = Meter::new().await;
    let session = open(&meter.manager, meter.session().await).await;
    for expected in 1..=2 {
        let increment = session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1);
        let (cost, count) = meter.of(increment).await;
        assert_eq!(count.unwrap(), expected);
        assert_eq!(cost.round_trips, 1);
    }
}

#[tokio::test]
async fn first_write_of_a_session_is_one_round_trip() {
    let mut meter = Meter::new().await;
    let manager = meter.manager.clone();
    let (cost, outcome) = meter
        .of(async {
            let session = manager.open(None).await.unwrap();
            session.set("name", "value").unwrap();
            session.commit().await.unwrap()
        })
        .await;
    assert_eq!(outcome, Outcome::Created);
    cost.is(1, &[("evalsha", 1), ("exists", 1), ("hset", 1), ("pexpire", 1)]);
}

#[tokio::test]
async fn login_is_three_round_trips_and_logout_is_two() {
    let mut meter = Meter::new().await;
    let id = meter.session().await;
    let manager = meter.manager.clone();
    let (cost, new) = meter
        .of(async {
            let session = open(&manager, id).await;
            session.cycle_id();
            session.set("user", "ann").unwrap();
            assert_eq!(session.commit().await.unwrap(), Outcome::Rotated);
            session.id().unwrap()
        })
        .await;
    let calls = [("exists", 1), ("hset", 1), ("pexpire", 1), ("pttl", 1), ("unlink", 1)];
    cost.is(3, &[&[("evalsha", 2), ("hgetall", 2)], &calls[..]].concat());

    let (cost, outcome) = meter
        .of(async {
            let session = open(&manager, new).await;
            session.destroy();
            session.commit().await.unwrap()
        })
        .await;
    assert_eq!(outcome, Outcome::Destroyed);
    cost.is(2, &[("evalsha", 1), ("hgetall", 2), ("pttl", 1), ("unlink", 1)]);
}

#[tokio::test]
async fn small_change_of_a_large_record_sends_only_the_change() {
    let mut meter = Meter::new().await;
    let id = meter.session().await;
    let session = open(&meter.manager, id).await;
    session.set("large", &"x".repeat(1_000_000)).unwrap();
    session.set("small", &1).unwrap();
    session.commit().await.unwrap();

    let manager = meter.manager.clone();
    let (cost, outcome) = meter
        .of(async {
            let session = open(&manager, id).await;
            session.set("small", &2).unwrap();
            session.commit().await.unwrap()
        })
        .await;
    assert_eq!(outcome, Outcome::Updated);
    assert!(cost.bytes < 1000, "{} bytes", cost.bytes);
}

#[tokio::test]
async fn setting_an_equal_value_writes_nothing() {
    let mut meter = Meter::new().await;
    let id = meter.session().await;
    let manager = meter.manager.clone();
    let (cost, outcome) = meter
        .of(async {
            let session = open(&manager, id).await;
            session.set("name", "value").unwrap();
            session.commit().await.unwrap()
        })
        .await;
    assert_eq!(outcome, Outcome::Unchanged);
    cost.is(1, &[("hgetall", 1), ("pttl", 1)]);
}

/// A server forgets the scripts at its start and by `SCRIPT FLUSH`.
#[tokio::test]
async fn forgotten_scripts_cost_one_more_round_trip_once() {
    let mut meter = Meter::new().await;
    let session = open(&meter.manager, meter.session().await).await;
    let () = run(&mut meter.operator, "SCRIPT FLUSH");
    for (value, round_trips) in [("1", 2), ("2", 1)] {
        session.set("name", value).unwrap();
        let (cost, outcome) = meter.of(session.commit()).await;
        assert_eq!(outcome.unwrap(), Outcome::Updated);
        assert_eq!(cost.round_trips, round_trips);
    }
}
