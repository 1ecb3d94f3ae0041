//! Tests of the shop as a program: over HTTP, and in a browser if one is installed.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "test code: a panic is a failure"
)]

mod browser;
mod client;
mod in_a_browser;
mod over_http;
mod process;
