#![doc = include_str!("../README.md")]

mod builder;
mod connection;
mod error;
mod format;
mod scripts;
mod store;

pub use builder::RedisStoreBuilder;
pub use store::RedisStore;
