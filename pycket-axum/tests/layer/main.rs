//! The promises of the layer and the extractors.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code: a panic is a failure"
)]

mod after_the_response;
mod bodies;
mod caching;
mod disconnects;
mod failing_handlers;
mod failing_stores;
mod headers;
mod ids;
mod login_and_logout;
mod optional_session;
mod presented_cookies;
mod pycket_usage;
mod races;
mod racy_handlers;
mod reissued_cookies;
mod round_trips;
mod secrecy;
mod services;
mod session_header;
mod settings;
mod several_cookies;
mod site;
mod timeouts;
mod two_layers;
mod unfinished_handlers;
mod users;
