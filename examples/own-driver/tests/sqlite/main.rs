//! What the conformance suite cannot test: what only SQLite can do to a store, and what only this driver
//! promises.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

mod busy;
mod corruption;
mod datasets;
mod expired;
mod file;
mod full;
mod processes;
mod reopening;
mod revisions;
mod schema;
mod settings;
