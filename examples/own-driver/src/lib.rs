#![doc = include_str!("../README.md")]

mod builder;
mod connection;
mod error;
mod records;
mod schema;
mod store;
mod worker;

pub use builder::SqliteStoreBuilder;
pub use store::SqliteStore;
