mod load;
mod process;
mod rounds;
mod route;
mod sample;
mod stores;
mod visitor;

use std::time::Duration;

use anyhow::Result;

pub(crate) use load::{Load, load};
pub(crate) use route::Route;
pub(crate) use visitor::Visitor;

use crate::cores::{Cores, bind};
use crate::servers::Server;
use rounds::Plan;
use stores::Stores;

/// How `bench` is asked for.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Few and short rounds: under five minutes, nothing is written.
    #[arg(long)]
    quick: bool,
    /// Only these servers, beside those that they are compared with.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Server>,
    /// How many rounds, instead of 15, or of 5 with `--quick`.
    #[arg(long)]
    rounds: Option<usize>,
}

pub(crate) fn bench(options: &Options) -> Result<()> {
    let cores = Cores::assign();
    bind(cores.client);
    let stores = Stores::start(cores)?;
    let plan = Plan {
        servers: Server::ALL.to_vec(),
        rounds: options.rounds.unwrap_or(if options.quick { 5 } else { 15 }),
        slice: Duration::from_millis(if options.quick { 400 } else { 1000 }),
        visitors: 32,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let rounds = runtime.block_on(rounds::run(&plan, &stores, cores))?;
    println!("{}", serde_json::to_string_pretty(&rounds)?);
    Ok(())
}
