mod fill;
mod footprint;
mod growth;
mod large;
mod references;
mod small;

use anyhow::{Context, Result};
use pycket_testkit::Server as StoreServer;
use serde::{Deserialize, Serialize};

pub(crate) use footprint::Library;

const THOUSAND: usize = 1_000;
const MILLION: usize = 1_000_000;

/// What the records themselves cost: their size, their number, and one that is large.
#[derive(Debug, Serialize)]
pub(crate) struct Records {
    pub(crate) memory_bytes: Bytes,
    pub(crate) redis_bytes: Bytes,
    pub(crate) growth: Vec<Growth>,
    /// Beside what the growth is to be seen; no goal is judged by it.
    pub(crate) references: Vec<Growth>,
    pub(crate) large: Large,
}

/// The bytes of one small record.
#[derive(Debug, Serialize)]
pub(crate) struct Bytes {
    pub(crate) pycket: f64,
    pub(crate) tower_sessions: f64,
}

/// How long one operation takes, in microseconds, with few records in the store and with many.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Growth {
    pub(crate) operation: String,
    pub(crate) at_a_thousand_us: f64,
    pub(crate) at_a_million_us: f64,
}

/// A large record of which a small part changes.
#[derive(Debug, Serialize)]
pub(crate) struct Large {
    pub(crate) record_bytes: usize,
    pub(crate) bytes_sent_for_a_change: f64,
    pub(crate) bytes_sent_by_tower_sessions: f64,
}

/// Parts that are measured in a process of their own, because they are about its memory.
#[derive(Clone, Copy, Debug, clap::Subcommand)]
pub(crate) enum Part {
    /// Prints the bytes of a record of a store in memory.
    Footprint { library: Library },
    /// Prints how the store in memory grows slower, as JSON.
    Growth,
    /// Prints how others do, as JSON.
    References,
}

/// All of it, on servers of its own.
pub(crate) async fn measure() -> Result<Records> {
    let (few, many) = (StoreServer::redis(), StoreServer::redis());
    let redis_bytes = Bytes {
        pycket: footprint::in_redis(Library::Pycket, &few.url()).await?,
        tower_sessions: footprint::in_redis(Library::TowerSessions, &few.url()).await?,
    };
    let large = large::measure(&few.url()).await?;
    let mut growth: Vec<Growth> = serde_json::from_str(&own_process(&["growth"])?)?;
    growth.extend(growth::on_redis(&few.url(), &many.url()).await?);
    let references = serde_json::from_str(&own_process(&["references"])?)?;
    let memory_bytes = Bytes {
        pycket: own_process(&["footprint", "pycket"])?.trim().parse()?,
        tower_sessions: own_process(&["footprint", "tower-sessions"])?.trim().parse()?,
    };
    Ok(Records { memory_bytes, redis_bytes, growth, references, large })
}

/// What such a process prints.
pub(crate) fn part(part: Part) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match part {
            Part::Footprint { library } => Ok(footprint::in_memory(library).await?.to_string()),
            Part::Growth => Ok(serde_json::to_string(&growth::in_memory().await?)?),
            Part::References => Ok(serde_json::to_string(&references::measure().await?)?),
        }
    })
}

fn own_process(words: &[&str]) -> Result<String> {
    let mut command = std::process::Command::new(std::env::current_exe()?);
    let output = command.arg("records").args(words).output()?;
    anyhow::ensure!(output.status.success(), "`records {}` failed", words.join(" "));
    String::from_utf8(output.stdout).context("it prints text")
}
