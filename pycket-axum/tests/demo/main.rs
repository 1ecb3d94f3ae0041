//! What the demo does for a client that talks HTTP to the real program, one sentence a test.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code: a panic is a failure"
)]

mod anonymous;
mod arguments;
mod concurrency;
mod cookies;
mod key_file;
mod lifetime;
mod names_and_values;
mod notifications;
mod outages;
mod page;
mod process;
mod program;
mod raw_redis;
mod scaling;
mod table;
mod visitor;
