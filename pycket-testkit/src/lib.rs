#![doc = include_str!("../README.md")]

mod clock;
mod every_order;
mod wrappers;

pub use clock::ManualClock;
pub use every_order::{Task, every_order};
pub use wrappers::{Calls, CountingStore, Fault, FaultyStore, PausingStore};
