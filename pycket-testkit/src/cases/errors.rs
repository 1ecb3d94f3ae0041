//! How a driver fails when its store cannot be reached.
//!
//! A driver without a server (see [`Harness::unreachable`]) cannot fail like this. It proves that by working
//! without a network.

use std::error::Error as _;
use std::thread;

use pycket_core::{Changes, Creation, Error, ErrorKind, SessionId, Update};
use tokio::runtime::Builder;

use crate::Harness;
use crate::check::{check, ensure};
use crate::fixtures::{HOUR, SECRET, Store, failures, open, stored};
use crate::shown::{all_shown_by, shows_id};

/// A call to an unreachable store is an error of kind `Unavailable`, which is transient.
pub async fn unreachable_store_is_unavailable(harness: &impl Harness) {
    let Some(store) = harness.unreachable().await else {
        return works_without_a_network(harness);
    };
    for (method, error) in all_failures(&store).await.1 {
        let kind = error.kind();
        ensure(method, ErrorKind::Unavailable, kind, kind == ErrorKind::Unavailable);
        ensure(method, "a transient error", &error, error.is_transient());
    }
}

/// An error keeps its cause as `source()`, and does not repeat it in its own message.
pub async fn error_keeps_its_source(harness: &impl Harness) {
    let Some(store) = harness.unreachable().await else {
        return works_without_a_network(harness);
    };
    for (method, error) in all_failures(&store).await.1 {
        let Some(source) = error.source() else {
            panic!("{method}\n  expected: an error with a source\n  got:      {error:?}");
        };
        let (message, cause) = (error.to_string(), source.to_string());
        ensure(method, "a source with a message", &cause, !cause.is_empty());
        ensure(
            method,
            "a message that does not repeat the source",
            &message,
            !message.contains(&cause),
        );
    }
}

/// No error shows an id or a value: neither its `Display` nor its `Debug`, nor those of its sources.
pub async fn error_shows_no_id_and_no_value(harness: &impl Harness) {
    let Some(store) = harness.unreachable().await else {
        return works_without_a_network(harness);
    };
    let (id, failures) = all_failures(&store).await;
    for (method, error) in failures {
        let shown = all_shown_by(&error);
        ensure(method, "an error without the id", &shown, !shows_id(&error, &id));
        ensure(method, "an error without a value", &shown, !shown.contains(SECRET));
    }
}

/// The id that each method was called with, and its error.
async fn all_failures(store: &Store) -> (SessionId, Vec<(&'static str, Error)>) {
    let id = SessionId::generate();
    let methods = ["a load", "a create", "an update", "a touch", "a delete"];
    let errors = methods.into_iter().zip(failures(store, &id).await).map(|(method, error)| {
        let Some(error) = error else {
            panic!("{method} of an unreachable store\n  expected: an error\n  got:      an answer")
        };
        (method, error)
    });
    (id, errors.collect())
}

/// Calls every method in a runtime without tokio's network: a call that needs a socket panics there.
fn works_without_a_network(harness: &impl Harness) {
    let calls = async {
        let store = open(harness).await;
        let id = SessionId::generate();
        let record = crate::fixtures::record([("a", "1")]);
        check("a create", store.create(&id, &record, HOUR).await, Creation::Created);
        check("a load", stored(&store, &id).await, Some(record.clone()));
        let touch = store.update(&id, &Changes::new(), Some(HOUR)).await;
        check("a touch", touch, Update::Applied);
        check("a delete", store.delete(&id).await, Some(record));
    };
    let offline = || Builder::new_current_thread().enable_time().build().unwrap().block_on(calls);
    thread::scope(|scope| {
        if let Err(panic) = scope.spawn(offline).join() {
            std::panic::resume_unwind(panic);
        }
    });
}
