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
pub(crate) use load::{Load, load};
pub(crate) use process::resident_memory;
pub(crate) use rounds::Round;
pub(crate) use route::Route;
pub(crate) use sample::Sample;
pub(crate) use stores::{redis_memory, redis_received};

use crate::cores::{Cores, bind};
use crate::records;
use crate::report::{self, Summary};
use crate::servers::Server;
pub(crate) use rounds::Plan;
use stores::Stores;

/// The options of `bench`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Runs short rounds in under five minutes, and writes no file.
    #[arg(long)]
    quick: bool,
    /// The number of rounds. The default is 31, or 9 with `--quick`.
    #[arg(long)]
    rounds: Option<usize>,
    /// Measures only these servers, and no records.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Server>,
    /// The folder in which the full run writes `performance.json` and `performance.svg`.
    #[arg(long, default_value = "docs")]
    out: PathBuf,
}

pub(crate) fn bench(options: &Options) -> Result<()> {
    let cores = Cores::assign();
    bind(cores.client);
    let is_partial = !options.only.is_empty();
    let plan = Plan {
        servers: if is_partial { options.only.clone() } else { Server::ALL.to_vec() },
        rounds: options.rounds.unwrap_or(if options.quick { 9 } else { 31 }),
        turns: if options.quick { 4 } else { 8 },
        slice: Duration::from_millis(50),
        clients: 32,
        cores: cores.number,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let rounds = runtime.block_on(rounds::run(&plan, &Stores::start(cores)?, cores))?;
    let records = if is_partial { None } else { Some(runtime.block_on(records::measure())?) };
    let summary = Summary::new(rounds);
    let goals = report::goals(&summary, records.as_ref());
    report::print(&summary, records.as_ref(), &goals);
    match records {
        Some(records) if !options.quick => {
            report::write(&options.out, &plan, &summary, &records, &goals)
        }
        _ => Ok(()),
    }
}
