#![doc = include_str!("../README.md")]

mod address;
mod builder;
mod connection;
mod error;
mod file;
mod format;
mod scripts;
mod secret;
mod store;

pub use builder::RedisStoreBuilder;
pub use store::RedisStore;
