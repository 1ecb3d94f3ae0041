#![doc = include_str!("../README.md")]

mod builder;
mod connection;
mod error;
mod expiry;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod item;
mod node_addr;
mod record;
mod retry;
mod servers;
mod store;

pub use builder::MemcacheStoreBuilder;
pub use store::MemcacheStore;
