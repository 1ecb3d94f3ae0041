#![doc = include_str!("../README.md")]

mod address;
mod builder;
mod client;
mod error;
mod file;
mod format;
mod item_limit;
mod lifetime;
mod race;
mod server;
mod servers;
mod slot;
mod store;

pub use builder::MemcacheStoreBuilder;
pub use store::MemcacheStore;
