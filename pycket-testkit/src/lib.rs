#![doc = include_str!("../README.md")]
// docs.rs shows which feature an item needs.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of this is test code: a panic is a failed test"
)]

mod all_at_once;
pub mod cases;
mod check;
mod clock;
mod conformance;
mod every_order;
pub mod fixtures;
mod harness;
mod model;
mod observed;
mod progress;
mod registry;
mod run;
#[cfg(feature = "servers")]
pub mod servers;
mod shown;
mod sign_out_everywhere;
mod timer;
mod wrappers;

pub use all_at_once::failing_cases;
pub use clock::ManualClock;
pub use every_order::{Task, every_order};
pub use harness::{Harness, Time};
pub use run::block_on;
#[doc(hidden)]
pub use run::{TestName, run_case};
pub use shown::{all_shown_by, shown, shown_values};
pub use sign_out_everywhere::sign_out_everywhere;
pub use wrappers::{Calls, CountingStore, Fault, FaultyStore, PausingStore};
