#![doc = include_str!("../README.md")]

mod bench;
mod cores;
mod records;
mod report;
mod servers;

use clap::Parser;
use cores::Core;
use servers::Server;

/// Measures what pycket costs.
#[derive(Parser)]
enum Command {
    /// Every server in turn, and what becomes of the goals.
    Bench(bench::Options),
    /// Prints what part of the measurements needs a process of its own.
    #[command(subcommand, hide = true)]
    Records(records::Part),
    /// One server, until standard input ends.
    Serve {
        server: Server,
        /// The URL of its store.
        #[arg(long)]
        store: Option<String>,
        /// The core that it is bound to.
        #[arg(long)]
        core: Option<Core>,
    },
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Bench(options) => bench::bench(&options),
        #[expect(clippy::print_stdout, reason = "whoever started it reads this")]
        Command::Records(part) => {
            println!("{}", records::part(part)?);
            Ok(())
        }
        Command::Serve { server, store, core } => {
            cores::bind(core);
            servers::serve(server, store.as_deref())
        }
    }
}
