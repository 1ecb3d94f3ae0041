//! The demo as a program, tested over HTTP.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code: a panic is a failure"
)]

mod anonymous;
mod arguments;
mod client;
mod concurrency;
mod cookies;
mod devices;
mod json_interface;
mod key_file;
mod names_and_values;
mod notifications;
mod outages;
mod page;
mod program;
mod raw_redis;
mod redis_topologies;
mod shutdown;
mod timeouts;
mod unreadable;
