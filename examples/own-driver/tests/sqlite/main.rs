//! What only SQLite can do to a store, and what only this driver promises: all that the conformance suite
//! does not know of.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

mod busy;
mod corruption;
mod datasets;
mod expired;
mod file;
mod full;
mod processes;
mod reopening;
mod schema;
mod settings;
