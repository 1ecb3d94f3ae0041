use serde::Serialize;

use super::summary::{Clients, Summary};
use crate::bench::{Route, Sample};
use crate::records::Records;
use crate::servers::Server::{
    self, ActixSessionRedis, Floor, FloorMemcached, PycketMemcached, PycketMemory, PycketRedis,
    PycketRedisPerCore, TowerSessionsMemory, TowerSessionsRedis,
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

/// The limits that depend on the number of worker threads, for reading and writing.
struct Limits {
    /// Added processor time beside the floor and tower-sessions.
    added: [[Option<f64>; 2]; 2],
    /// Requests per second beside the floor and tower-sessions.
    rates: [[f64; 2]; 2],
    memory: f64,
}

const ONE_WORKER: Limits = Limits {
    added: [[Some(1.15), Some(0.75)], [Some(1.2), Some(0.65)]],
    rates: [[0.95, 1.1], [0.95, 1.35]],
    memory: 0.8,
};

const DEFAULT_RUNTIME: Limits = Limits {
    added: [[Some(1.0), None], [Some(1.1), None]],
    rates: [[1.0, 1.2], [0.95, 1.4]],
    memory: 0.6,
};

/// The goals that can be checked with these results.
pub(crate) fn goals(summary: &Summary, workers: usize) -> Vec<Goal> {
    let limits = if workers == 1 { ONE_WORKER } else { DEFAULT_RUNTIME };
    let mut goals = Vec::new();
    goals.extend(untouched(summary));
    goals.extend(redis(summary, &limits));
    goals.extend(memcached(summary));
    goals.extend(per_core(summary));
    goals.extend(memory(summary, limits.memory));
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

const ROUTES: [Route; 2] = [Route::Read, Route::Write];

fn redis(summary: &Summary, limits: &Limits) -> Vec<Goal> {
    let peers = [(Floor, "the floor"), (TowerSessionsRedis, "tower-sessions")];
    let mut goals = Vec::new();
    for (route, added) in ROUTES.into_iter().zip(limits.added) {
        for ((peer, name), limit) in peers.into_iter().zip(added) {
            let what = format!("added processor time, Redis {}, relative to {name}", route.name());
            let ratio = summary.added_cpu_ratio(route, [PycketRedis, peer]).zip(limit);
            goals.extend(ratio.map(|(ratio, limit)| goal(what, AtMost(limit), ratio, "×")));
        }
    }
    let own = |sample: &Sample| sample.store_cpu_us;
    let ratio = summary.ratio(Clients::Many, Route::Write, [PycketRedis, Floor], own);
    let what = "processor time of Redis, write, relative to the floor";
    goals.extend(ratio.map(|ratio| goal(what, AtMost(1.0), ratio, "×")));
    for (route, rates) in ROUTES.into_iter().zip(limits.rates) {
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
    for route in ROUTES {
        let latency = |sample: &Sample| sample.latency_p99_us;
        let ratio = summary.ratio(Clients::Half, route, [PycketRedis, Floor], latency);
        let what = format!(
            "99th percentile at half of the floor's rate, Redis {}, relative to the floor",
            route.name()
        );
        goals.extend(ratio.map(|ratio| goal(what, AtMost(1.1), ratio, "×")));
    }
    goals
}

fn memcached(summary: &Summary) -> Vec<Goal> {
    let goal_of = |route: Route| {
        let ratio = summary.added_cpu_ratio(route, [PycketMemcached, FloorMemcached])?;
        let what =
            format!("added processor time, memcached {}, relative to its floor", route.name());
        Some(goal(what, AtMost(1.1), ratio, "×"))
    };
    ROUTES.into_iter().filter_map(goal_of).collect()
}

/// A runtime per core for both, as actix has it.
fn per_core(summary: &Summary) -> Vec<Goal> {
    let rate = |sample: &Sample| sample.requests_per_second;
    let goal_of = |route: Route| {
        let pair = [PycketRedisPerCore, ActixSessionRedis];
        let ratio = summary.ratio(Clients::Many, route, pair, rate)?;
        let what = format!(
            "requests per second, Redis {}, runtime per core, relative to actix-session",
            route.name()
        );
        Some(goal(what, AtLeast(1.0), ratio, "×"))
    };
    ROUTES.into_iter().filter_map(goal_of).collect()
}

fn memory(summary: &Summary, limit: f64) -> Vec<Goal> {
    let pair: [Server; 2] = [PycketMemory, TowerSessionsMemory];
    let mut goals = Vec::new();
    for route in ROUTES {
        let what =
            format!("added processor time, memory {}, relative to tower-sessions", route.name());
        let ratio = summary.added_cpu_ratio(route, pair);
        goals.extend(ratio.map(|ratio| goal(what, AtMost(limit), ratio, "×")));
    }
    goals
}

/// The goals of the measurements of records.
pub(crate) fn goals_of_records(records: &Records) -> Vec<Goal> {
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
    if let ([load, ..], [map, ..]) = (&*records.growth, &*records.references) {
        let what = format!(
            "time of {} at a million records, relative to {}",
            load.operation, map.operation
        );
        goals.push(goal(what, AtMost(2.0), load.at_a_million_us / map.at_a_million_us, "×"));
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
