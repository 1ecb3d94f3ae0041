#![doc = include_str!("../README.md")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of this is test code: a panic is how a case fails"
)]

pub mod cases;
mod check;
mod clock;
mod conformance;
mod errors_seen;
mod every_order;
pub mod faults;
mod faults_macro;
mod harness;
mod life;
mod model;
mod network;
mod proxy;
mod registry;
mod run;
#[cfg(unix)]
mod server;
mod shown;
mod steps;
mod wrappers;

pub use clock::ManualClock;
pub use errors_seen::all_shown_by;
pub use every_order::{Task, every_order};
pub use harness::{Harness, Time};
pub use network::NetworkHarness;
pub use proxy::{Exchange, FaultProxy, NetworkFault};
pub use run::block_on;
#[doc(hidden)]
pub use run::{Place, run_case, run_fault};
#[cfg(all(unix, feature = "tls"))]
pub use server::RedisTls;
#[cfg(unix)]
pub use server::{RedisCluster, RedisSentinel, Server};
pub use shown::{shown, shown_values};
pub use wrappers::{Calls, CountingStore, Fault, FaultyStore, PausingStore};
