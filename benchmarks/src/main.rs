#![doc = include_str!("../README.md")]

mod bench;
mod cores;
mod records;
mod report;
mod servers;

use bench::Route;
use clap::Parser;
use cores::Core;
use servers::Server;

/// Measures what pycket costs.
#[derive(Parser)]
enum Command {
    /// Measures every server and checks the goals.
    Bench(bench::Options),
    /// Prints one measurement that needs a separate process.
    #[command(subcommand, hide = true)]
    Records(records::Part),
    /// Calls one route of an axum server many times, without a network, for a program that counts instructions.
    #[command(hide = true)]
    Repeat {
        server: Server,
        route: Route,
        times: usize,
        /// The URL of its store.
        #[arg(long)]
        store: Option<String>,
    },
    /// Runs one server until standard input ends.
    Serve {
        server: Server,
        /// The URL of its store.
        #[arg(long)]
        store: Option<String>,
        /// The number of worker threads.
        #[arg(long, default_value_t = 1)]
        workers: usize,
        /// The core to run on.
        #[arg(long)]
        core: Option<Core>,
    },
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Bench(options) => bench::bench(&options),
        #[expect(clippy::print_stdout, reason = "the parent process reads it")]
        Command::Records(part) => {
            println!("{}", records::part(part)?);
            Ok(())
        }
        Command::Repeat { server, route, times, store } => {
            servers::repeat(server, store.as_deref(), route, times)
        }
        Command::Serve { server, store, workers, core } => {
            cores::bind(core);
            servers::serve(server, store.as_deref(), workers)
        }
    }
}
