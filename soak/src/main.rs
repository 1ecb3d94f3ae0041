#![doc = include_str!("../README.md")]
#![expect(clippy::print_stdout, reason = "the program reports on standard output")]

mod app;
mod broken;
mod chaos;
mod client;
mod http;
mod lineage;
mod oracle;
mod process;
mod report;
mod run;
mod store;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use broken::Broken;
use chaos::Fault;
use clap::{Args, Parser, Subcommand};
use store::StoreKind;

/// An error that ends the program. A finding of the oracle is no error.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Runs many clients and many faults at once, and judges what pycket answers.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Command {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Args, Clone, Debug)]
struct Options {
    /// How long the clients run. Starting, and waiting for the last records to expire, come on top.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Decides what the clients and the faults do, but not when. By default a new one for each run.
    #[arg(long)]
    seed: Option<u64>,
    /// Where the sessions are kept.
    #[arg(long, value_enum, default_value_t = StoreKind::Redis)]
    store: StoreKind,
    /// `all` that the store knows, `none`, or a list such as `kill,cut`.
    #[arg(long, default_value = "all")]
    faults: String,
    /// The number of browsers, of three tabs each.
    #[arg(long, default_value_t = 12)]
    browsers: usize,
    /// After how many seconds without a response a request hangs. Ten are right if the machine does nothing else.
    #[arg(long, default_value_t = 10)]
    limit: u64,
    /// The idle timeout of the sessions in seconds. The run ends so much later.
    #[arg(long, default_value_t = 20)]
    idle: u64,
    /// Puts a known bug back into the servers. The run ends as soon as it is found.
    #[arg(long, value_enum)]
    broken: Option<Broken>,
    /// The soak program of another version of pycket, which runs the second server. The two share the store, as
    /// during a deployment.
    #[arg(long)]
    beside: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Part {
    /// Runs one server until standard input ends.
    #[command(hide = true)]
    Serve(ServeOptions),
}

#[derive(Args, Clone, Debug)]
struct ServeOptions {
    #[arg(long, value_enum)]
    store: StoreKind,
    #[arg(long, default_value = "")]
    url: String,
    #[arg(long, default_value_t = 0)]
    port: u16,
    #[arg(long)]
    idle: u64,
    #[arg(long, value_enum)]
    broken: Option<Broken>,
}

impl Options {
    fn idle(&self) -> Duration {
        Duration::from_secs(self.idle)
    }

    fn faults(&self) -> Result<Vec<Fault>> {
        chaos::faults(&self.faults, self.store)
    }
}

fn main() -> ExitCode {
    let command = Command::parse();
    let result = match command.part {
        Some(Part::Serve(options)) => app::serve(&options).map(|()| true),
        None => run::run(&command.options),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::from(2)
        }
    }
}
