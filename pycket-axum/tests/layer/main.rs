//! What the layer and the extractor promise, one sentence a test.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code: a panic is a failure"
)]

mod cookies;
mod disconnects;
mod ending;
mod failing_handlers;
mod failing_stores;
mod headers;
mod ids;
mod lifetimes;
mod original;
mod presented;
mod races;
mod round_trips;
mod secrecy;
mod services;
mod site;
