#![expect(clippy::print_stderr, reason = "somebody waits for the end")]

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::process::{ServerProcess, processor_time, resident_memory};
use super::sample::{Sample, Tally};
use super::stores::Stores;
use super::{Route, Visitor, load};
use crate::cores::Cores;
use crate::servers::{Keeps, Server};

/// What is measured, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) servers: Vec<Server>,
    pub(crate) rounds: usize,
    /// How often each server has its turn on each route in each round.
    pub(crate) turns: usize,
    /// How long a turn is.
    pub(crate) slice: Duration,
    pub(crate) visitors: usize,
    /// How many cores the machine has.
    pub(crate) cores: usize,
}

/// One round: every server on every route.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Round {
    /// With all visitors at once.
    pub(crate) busy: BTreeMap<Server, BTreeMap<Route, Sample>>,
    /// With a single visitor.
    pub(crate) alone: BTreeMap<Server, BTreeMap<Route, Sample>>,
    /// Resident memory of the server at its end, in bytes.
    pub(crate) memory: BTreeMap<Server, u64>,
}

/// Routes that a single visitor takes too.
const ALONE: [Route; 2] = [Route::Read, Route::Write];

pub(crate) async fn run(plan: &Plan, stores: &Stores, cores: Cores) -> Result<Vec<Round>> {
    let mut rounds = Vec::with_capacity(plan.rounds);
    for number in 0..plan.rounds {
        eprint!("\rround {} of {} …", number + 1, plan.rounds);
        // Another order in each: whom a server comes after makes a difference to it.
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
        subjects.push(Subject::start(*server, plan.visitors, stores, cores).await?);
    }
    for route in Route::ALL {
        let samples = measure(plan, &mut subjects, route, plan.visitors, stores).await?;
        for (server, sample) in samples {
            round.busy.entry(server).or_default().insert(route, sample);
        }
    }
    for route in ALONE {
        let samples = measure(plan, &mut subjects, route, 1, stores).await?;
        for (server, sample) in samples {
            round.alone.entry(server).or_default().insert(route, sample);
        }
    }
    for subject in &subjects {
        round.memory.insert(subject.server, resident_memory(subject.process.pid())?);
    }
    Ok(round)
}

/// All servers run at the same time, and idle but for the one whose turn it is. Turns are short and each
/// has many, so that whatever else the machine does in these seconds hits all alike.
async fn measure(
    plan: &Plan,
    subjects: &mut [Subject],
    route: Route,
    visitors: usize,
    stores: &Stores,
) -> Result<Vec<(Server, Sample)>> {
    let tallies = subjects.iter().map(|_| Tally::new()).collect::<Result<Vec<_>>>();
    let mut tallies = tallies?;
    for _ in 0..plan.turns {
        for (subject, tally) in subjects.iter_mut().zip(&mut tallies) {
            subject.measure(route, plan.slice, visitors, stores, tally).await?;
        }
    }
    let servers = subjects.iter().map(|subject| subject.server);
    Ok(servers.zip(tallies.iter().map(Tally::sample)).collect())
}

/// A server and its visitors.
struct Subject {
    server: Server,
    process: ServerProcess,
    visitors: Vec<Visitor>,
}

impl Subject {
    async fn start(server: Server, visitors: usize, stores: &Stores, cores: Cores) -> Result<Self> {
        let url = stores.url(server.keeps());
        let process = ServerProcess::start(server, url.as_deref(), cores.server)?;
        let has_session = server.keeps() != Keeps::None;
        let mut subject = Self { server, process, visitors: Vec::new() };
        for _ in 0..visitors {
            let visitor = Visitor::arrive(&subject.process.address, has_session).await;
            subject.visitors.push(visitor.with_context(|| server.name())?);
        }
        for route in Route::ALL {
            subject.load(route, Duration::from_millis(20), visitors).await?;
        }
        Ok(subject)
    }

    async fn measure(
        &mut self,
        route: Route,
        duration: Duration,
        visitors: usize,
        stores: &Stores,
        tally: &mut Tally,
    ) -> Result<()> {
        // The first requests fill caches that the server before has emptied.
        self.load(route, duration / 10, visitors).await?;
        let (pid, keeps) = (self.process.pid(), self.server.keeps());
        let (server, store) = (processor_time(pid)?, stores.counters(keeps)?);
        let load = self.load(route, duration, visitors).await?;
        let store = stores.counters(keeps)?.since(&store);
        tally.add(&load, processor_time(pid)? - server, store)
    }

    async fn load(
        &mut self,
        route: Route,
        duration: Duration,
        visitors: usize,
    ) -> Result<super::Load> {
        let idle = self.visitors.split_off(visitors.min(self.visitors.len()));
        let busy = std::mem::take(&mut self.visitors);
        let (busy, load) = load(busy, route, duration).await.with_context(|| self.server.name())?;
        self.visitors = busy;
        self.visitors.extend(idle);
        Ok(load)
    }
}
