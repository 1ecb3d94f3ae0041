#![expect(clippy::print_stderr, reason = "shows the progress")]

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::process::{ServerProcess, processor_time, resident_memory};
use super::sample::{Sample, Tally};
use super::stores::Stores;
use super::{Client, Pace, Route, load};
use crate::cores::Cores;
use crate::servers::{Server, StoreKind};

/// What is measured, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) servers: Vec<Server>,
    pub(crate) rounds: usize,
    /// The number of turns of each server on each route in a round.
    pub(crate) turns: usize,
    /// The length of a turn.
    pub(crate) slice: Duration,
    pub(crate) clients: usize,
    /// The number of worker threads of each server.
    pub(crate) workers: usize,
}

type Samples = BTreeMap<Server, BTreeMap<Route, Sample>>;

/// One round: every server on every route.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Round {
    /// With all clients at once.
    pub(crate) busy: Samples,
    /// With all clients, which together send half as many requests as the floor can answer.
    pub(crate) half: Samples,
    /// With a single client.
    pub(crate) alone: Samples,
    /// Resident memory of the server at the end of the round, in bytes.
    pub(crate) memory: BTreeMap<Server, u64>,
}

/// The routes that are also measured with a single client and at half the rate.
const MAIN: [Route; 2] = [Route::Read, Route::Write];

pub(crate) async fn run(plan: &Plan, stores: &Stores, cores: Cores) -> Result<Vec<Round>> {
    let mut rounds = Vec::with_capacity(plan.rounds);
    for number in 0..plan.rounds {
        eprint!("\r{} workers: round {} of {} …", plan.workers, number + 1, plan.rounds);
        // Each round has a random order, because the server before influences the next one.
        let mut servers = plan.servers.clone();
        let random = RandomState::new();
        servers.sort_by_cached_key(|server| random.hash_one(server.name()));
        rounds.push(round(plan, &servers, stores, cores).await?);
    }
    eprintln!();
    Ok(rounds)
}

async fn round(plan: &Plan, servers: &[Server], stores: &Stores, cores: Cores) -> Result<Round> {
    stores.empty()?;
    let mut round = Round::default();
    let mut subjects = Vec::with_capacity(servers.len());
    for server in servers {
        subjects.push(Subject::start(*server, plan, stores, cores).await?);
    }
    for route in Route::ALL {
        let samples =
            measure(plan, &mut subjects, route, plan.clients, Pace::Fastest, stores).await?;
        add(&mut round.busy, route, samples);
    }
    for route in MAIN {
        let floor = round.busy.get(&Server::Floor).and_then(|routes| routes.get(&route));
        let Some(rate) = floor.map(|sample| sample.requests_per_second) else { break };
        let pace = Pace::PerSecond(rate / 2.0);
        let samples = measure(plan, &mut subjects, route, plan.clients, pace, stores).await?;
        add(&mut round.half, route, samples);
    }
    for route in MAIN {
        let samples = measure(plan, &mut subjects, route, 1, Pace::Fastest, stores).await?;
        add(&mut round.alone, route, samples);
    }
    for subject in &subjects {
        round.memory.insert(subject.server, resident_memory(subject.process.pid())?);
    }
    Ok(round)
}

fn add(all: &mut Samples, route: Route, samples: Vec<(Server, Sample)>) {
    for (server, sample) in samples {
        all.entry(server).or_default().insert(route, sample);
    }
}

/// All servers run at the same time, but only the one whose turn it is has requests. Each server has many
/// short turns, so that other work on the machine affects all servers alike.
async fn measure(
    plan: &Plan,
    subjects: &mut [Subject],
    route: Route,
    clients: usize,
    pace: Pace,
    stores: &Stores,
) -> Result<Vec<(Server, Sample)>> {
    let tallies = subjects.iter().map(|_| Tally::new()).collect::<Result<Vec<_>>>();
    let mut tallies = tallies?;
    for _ in 0..plan.turns {
        for (subject, tally) in subjects.iter_mut().zip(&mut tallies) {
            subject.measure(route, plan.slice, clients, pace, stores, tally).await?;
        }
    }
    let servers = subjects.iter().map(|subject| subject.server);
    Ok(servers.zip(tallies.iter().map(Tally::sample)).collect())
}

/// A server under measurement, and its clients.
struct Subject {
    server: Server,
    process: ServerProcess,
    clients: Vec<Client>,
}

impl Subject {
    async fn start(server: Server, plan: &Plan, stores: &Stores, cores: Cores) -> Result<Self> {
        let url = stores.url(server.store());
        let process = ServerProcess::start(server, url.as_deref(), plan.workers, cores.server)?;
        let has_session = server.store() != StoreKind::None;
        let mut subject = Self { server, process, clients: Vec::new() };
        for _ in 0..plan.clients {
            let client = Client::connect(&subject.process.address, has_session).await;
            subject.clients.push(client.with_context(|| server.name())?);
        }
        for route in Route::ALL {
            subject.load(route, Duration::from_millis(20), plan.clients, Pace::Fastest).await?;
        }
        Ok(subject)
    }

    async fn measure(
        &mut self,
        route: Route,
        duration: Duration,
        clients: usize,
        pace: Pace,
        stores: &Stores,
        tally: &mut Tally,
    ) -> Result<()> {
        // The first requests fill the caches of the processor again.
        self.load(route, duration / 10, clients, pace).await?;
        let (pid, kind) = (self.process.pid(), self.server.store());
        let (server, store) = (processor_time(pid)?, stores.counters(kind)?);
        let load = self.load(route, duration, clients, pace).await?;
        let store = stores.counters(kind)?.since(&store);
        tally.add(&load, processor_time(pid)? - server, store)
    }

    async fn load(
        &mut self,
        route: Route,
        duration: Duration,
        clients: usize,
        pace: Pace,
    ) -> Result<super::Load> {
        let idle = self.clients.split_off(clients.min(self.clients.len()));
        let busy = std::mem::take(&mut self.clients);
        let (busy, load) =
            load(busy, route, duration, pace).await.with_context(|| self.server.name())?;
        self.clients = busy;
        self.clients.extend(idle);
        Ok(load)
    }
}
