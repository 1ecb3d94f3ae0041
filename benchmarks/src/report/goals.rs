use serde::Serialize;

use super::summary::{Clients, Summary};
use crate::bench::{Route, Sample};
use crate::records::Records;
use crate::servers::Server::{
    self, Floor, PycketMemory, PycketRedis, TowerSessionsMemory, TowerSessionsRedis,
};

/// A promise, and the measured value.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Goal {
    pub(crate) what: String,
    pub(crate) limit: Limit,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) reached: bool,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

use Limit::{AtLeast, AtMost};

/// The goals that can be checked with these results.
pub(crate) fn goals(summary: &Summary, records: Option<&Records>) -> Vec<Goal> {
    let mut goals = Vec::new();
    goals.extend(untouched(summary));
    goals.extend(redis(summary));
    goals.extend(memory(summary));
    goals.extend(records.map(of_records).unwrap_or_default());
    goals
}

fn untouched(summary: &Summary) -> Vec<Goal> {
    let mut goals = Vec::new();
    for server in [PycketMemory, PycketRedis] {
        let what =
            format!("untouched route, {}: processor time that the session adds", server.name());
        let added = summary.added_cpu(Clients::Many, server, Route::Untouched);
        goals.extend(added.map(|added| goal(what, AtMost(0.5), added, "µs")));
    }
    let commands = |sample: &Sample| sample.store_commands;
    let calls = summary.median(Clients::Many, PycketRedis, Route::Untouched, commands);
    goals
        .extend(calls.map(|calls| goal("untouched route: store commands", AtMost(0.0), calls, "")));
    goals
}

fn redis(summary: &Summary) -> Vec<Goal> {
    let peers = [(Floor, "the floor"), (TowerSessionsRedis, "tower-sessions")];
    let limits =
        [(Route::Read, [1.15, 0.75], [0.95, 1.1]), (Route::Write, [1.2, 0.65], [0.95, 1.35])];
    let mut goals = Vec::new();
    for (route, added, _) in limits {
        for ((peer, name), limit) in peers.into_iter().zip(added) {
            let what = format!("added processor time, Redis {}, relative to {name}", route.name());
            let ratio = summary.added_cpu_ratio(route, [PycketRedis, peer]);
            goals.extend(ratio.map(|ratio| goal(what, AtMost(limit), ratio, "×")));
        }
    }
    let own = |sample: &Sample| sample.store_cpu_us;
    let ratio = summary.ratio(Clients::Many, Route::Write, [PycketRedis, Floor], own);
    let what = "processor time of Redis, write, relative to the floor";
    goals.extend(ratio.map(|ratio| goal(what, AtMost(1.0), ratio, "×")));
    for (route, _, rates) in limits {
        for ((peer, name), limit) in peers.into_iter().zip(rates) {
            let what = format!("requests per second, Redis {}, relative to {name}", route.name());
            let rate = |sample: &Sample| sample.requests_per_second;
            let ratio = summary.ratio(Clients::Many, route, [PycketRedis, peer], rate);
            goals.extend(ratio.map(|ratio| goal(what, AtLeast(limit), ratio, "×")));
        }
    }
    let latency = |sample: &Sample| sample.latency_p50_us;
    let ratio = summary.ratio(Clients::One, Route::Read, [PycketRedis, Floor], latency);
    let what = "median latency of a single client, Redis read, relative to the floor";
    goals.extend(ratio.map(|ratio| goal(what, AtMost(1.1), ratio, "×")));
    goals
}

fn memory(summary: &Summary) -> Vec<Goal> {
    let pair: [Server; 2] = [PycketMemory, TowerSessionsMemory];
    let mut goals = Vec::new();
    for route in [Route::Read, Route::Write] {
        let what =
            format!("added processor time, memory {}, relative to tower-sessions", route.name());
        let ratio = summary.added_cpu_ratio(route, pair);
        goals.extend(ratio.map(|ratio| goal(what, AtMost(0.8), ratio, "×")));
    }
    goals
}

fn of_records(records: &Records) -> Vec<Goal> {
    let mut goals = Vec::new();
    let of = [
        ("memory store, bytes per small record at a million", &records.memory_bytes),
        ("Redis, bytes per small record", &records.redis_bytes),
    ];
    for (what, bytes) in of {
        let what = format!("{what}, relative to tower-sessions");
        goals.push(goal(what, AtMost(1.0), bytes.pycket / bytes.tower_sessions, "×"));
    }
    for growth in &records.growth {
        let what =
            format!("time of {} at a million records, relative to a thousand", growth.operation);
        goals.push(goal(what, AtMost(1.3), growth.at_a_million_us / growth.at_a_thousand_us, "×"));
    }
    let what = "bytes sent to Redis for a small change to a record of 1 MB";
    goals.push(goal(what, AtMost(1_000.0), records.large.bytes_sent_for_a_change, "bytes"));
    goals
}

fn goal(what: impl Into<String>, limit: Limit, value: f64, unit: &'static str) -> Goal {
    // The rounded value is compared, because it is the one that the reader sees.
    let value = (value * 1000.0).round() / 1000.0;
    let reached = match limit {
        AtMost(limit) => value <= limit,
        AtLeast(limit) => value >= limit,
    };
    Goal { what: what.into(), limit, value, unit, reached }
}
