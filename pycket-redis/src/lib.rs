#![doc = include_str!("../README.md")]

mod address;
mod batcher;
mod builder;
mod cluster;
mod connection;
mod error;
mod file;
mod format;
mod many;
mod node;
mod patience;
mod place;
mod safety;
mod scripts;
mod secret;
mod sentinel;
mod servers;
mod slots;
mod store;
mod target;
#[cfg(feature = "tls")]
mod tls;

pub use builder::RedisStoreBuilder;
pub use store::RedisStore;
