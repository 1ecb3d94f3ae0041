//! The promises of the layer and the extractors.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code: a panic is a failure"
)]

mod disconnects;
mod failing_handlers;
mod failing_stores;
mod headers;
mod ids;
mod login_and_logout;
mod presented_cookies;
mod pycket_usage;
mod races;
mod reissued_cookies;
mod round_trips;
mod secrecy;
mod services;
mod site;
mod timeouts;
