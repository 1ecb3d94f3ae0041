mod fill;
mod footprint;
mod growth;
mod large;
mod references;
mod sizes;
mod small;
mod users;

use anyhow::{Context, Result};
use pycket_testkit::servers::Server as StoreServer;
use serde::{Deserialize, Serialize};

pub(crate) use footprint::Library;

const THOUSAND: usize = 1_000;
const MILLION: usize = 1_000_000;

/// The costs of records: by size, by number, and of a large one.
#[derive(Debug, Serialize)]
pub(crate) struct Records {
    pub(crate) memory_bytes: Bytes,
    pub(crate) redis_bytes: Bytes,
    pub(crate) growth: Vec<Growth>,
    /// The growth of other maps, for comparison. One goal depends on the first.
    pub(crate) references: Vec<Growth>,
    pub(crate) large: Large,
    pub(crate) sizes: Vec<Size>,
}

/// The size of one small record in bytes.
#[derive(Debug, Serialize)]
pub(crate) struct Bytes {
    pub(crate) pycket: f64,
    pub(crate) tower_sessions: f64,
}

/// The time of one operation in microseconds, with few and with many records in the store.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Growth {
    pub(crate) operation: String,
    pub(crate) at_a_thousand_us: f64,
    pub(crate) at_a_million_us: f64,
}

/// A small change to a large record.
#[derive(Debug, Serialize)]
pub(crate) struct Large {
    pub(crate) record_bytes: usize,
    pub(crate) bytes_sent_for_a_change: f64,
    pub(crate) bytes_sent_by_tower_sessions: f64,
}

/// What a request with a session of this size costs on Redis, in microseconds and bytes.
#[derive(Debug, Serialize)]
pub(crate) struct Size {
    pub(crate) values: usize,
    pub(crate) bytes_per_value: usize,
    /// To load the session and read one small value.
    pub(crate) read_us: f64,
    pub(crate) received_for_a_read: f64,
    /// To change that value too.
    pub(crate) change_us: f64,
    pub(crate) sent_for_a_change: f64,
}

/// The time to list and to end all sessions of one user, in milliseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Users {
    pub(crate) store: String,
    pub(crate) sessions: usize,
    pub(crate) list_ms: f64,
    pub(crate) end_all_ms: f64,
}

/// The measurements that need a separate process, because they measure or fill its memory.
#[derive(Clone, Copy, Debug, clap::Subcommand)]
pub(crate) enum Part {
    /// Prints the bytes of one record in a memory store.
    Footprint {
        library: Library,
        /// In a Redis of its own instead.
        #[arg(long)]
        redis: bool,
    },
    /// Prints the growth of the memory store, as JSON.
    Growth,
    /// Prints the growth of other maps, as JSON.
    References,
    /// Prints the costs of a user with many sessions, as JSON.
    Users,
}

/// Measures everything, on its own servers.
pub(crate) async fn measure() -> Result<Records> {
    let (few, many) = (StoreServer::redis(), StoreServer::redis());
    let redis_bytes = Bytes {
        pycket: footprint::in_redis(Library::Pycket, &few.url()).await?,
        tower_sessions: footprint::in_redis(Library::TowerSessions, &few.url()).await?,
    };
    let large = large::measure(&few.url()).await?;
    let sizes = sizes::measure(&few.url()).await?;
    let mut growth: Vec<Growth> = serde_json::from_str(&separate_process(&["growth"])?)?;
    growth.extend(growth::on_redis(&few.url(), &many.url()).await?);
    let references = serde_json::from_str(&separate_process(&["references"])?)?;
    let memory_bytes = Bytes {
        pycket: separate_process(&["footprint", "pycket"])?.trim().parse()?,
        tower_sessions: separate_process(&["footprint", "tower-sessions"])?.trim().parse()?,
    };
    Ok(Records { memory_bytes, redis_bytes, growth, references, large, sizes })
}

/// The output of such a process.
pub(crate) fn part(part: Part) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match part {
            Part::Footprint { library, redis: false } => {
                Ok(footprint::in_memory(library).await?.to_string())
            }
            Part::Footprint { library, redis: true } => {
                Ok(footprint::in_redis(library, &StoreServer::redis().url()).await?.to_string())
            }
            Part::Growth => Ok(serde_json::to_string(&growth::in_memory().await?)?),
            Part::References => Ok(serde_json::to_string(&references::measure().await?)?),
            Part::Users => Ok(serde_json::to_string_pretty(&users::measure().await?)?),
        }
    })
}

fn separate_process(words: &[&str]) -> Result<String> {
    let mut command = std::process::Command::new(std::env::current_exe()?);
    let output = command.arg("records").args(words).output()?;
    anyhow::ensure!(output.status.success(), "`records {}` failed", words.join(" "));
    String::from_utf8(output.stdout).context("the output is not text")
}
