mod client;
mod load;
mod process;
mod rounds;
mod route;
mod sample;
mod stores;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

pub(crate) use client::Client;
pub(crate) use load::{Load, Pace, load};
pub(crate) use process::resident_memory;
pub(crate) use rounds::Round;
pub(crate) use route::Route;
pub(crate) use sample::Sample;
pub(crate) use stores::{redis_memory, redis_traffic};

use crate::cores::{self, Cores, bind};
use crate::records;
use crate::report::{self, Run, Summary};
use crate::servers::Server;
pub(crate) use rounds::Plan;
use stores::Stores;

/// The options of `bench`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Runs short rounds in about ten minutes, and writes no file.
    #[arg(long)]
    quick: bool,
    /// The number of rounds. The default is 31, or 9 with `--quick`.
    #[arg(long)]
    rounds: Option<usize>,
    /// The number of worker threads of each server. By default it measures with as many as there are cores, which is
    /// the default of tokio, and then with one.
    #[arg(long)]
    workers: Option<usize>,
    /// The number of clients. The default is 64, or 32 with one worker.
    #[arg(long)]
    clients: Option<usize>,
    /// Measures only these servers, and no records.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Server>,
    /// The folder in which the full run writes `performance.json` and `performance.svg`.
    #[arg(long, default_value = "docs")]
    out: PathBuf,
}

pub(crate) fn bench(options: &Options) -> Result<()> {
    let mut workers = options.workers.map_or(vec![cores::number(), 1], |workers| vec![workers]);
    workers.dedup();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut runs = Vec::new();
    for workers in workers {
        let (cores, plan) = (Cores::assign(workers), options.plan(workers));
        bind(cores.client);
        let rounds = runtime.block_on(rounds::run(&plan, &Stores::start(cores)?, cores))?;
        let summary = Summary::new(rounds);
        let goals = report::goals(&summary, workers);
        let run = Run { plan, summary, goals };
        report::print(&run);
        runs.push(run);
    }
    if !options.only.is_empty() {
        return Ok(());
    }
    let records = runtime.block_on(records::measure())?;
    let goals = report::goals_of_records(&records);
    report::print_records(&records, &goals);
    if options.quick { Ok(()) } else { report::write(&options.out, &runs, &records, &goals) }
}

impl Options {
    fn plan(&self, workers: usize) -> Plan {
        let servers = match self.only.as_slice() {
            [] => Server::all(workers),
            only => only.to_vec(),
        };
        Plan {
            servers,
            rounds: self.rounds.unwrap_or(if self.quick { 9 } else { 31 }),
            turns: if self.quick { 4 } else { 8 },
            slice: Duration::from_millis(50),
            clients: self.clients.unwrap_or(if workers == 1 { 32 } else { 64 }),
            workers,
        }
    }
}
