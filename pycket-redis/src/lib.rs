#![doc = include_str!("../README.md")]
// docs.rs shows which feature an item needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod address;
mod builder;
mod connection;
mod credentials;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod record;
mod retry;
mod scripts;
mod store;
mod topology;
mod url;

pub use builder::RedisStoreBuilder;
pub use credentials::Credentials;
pub use store::RedisStore;
