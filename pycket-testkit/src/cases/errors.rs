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
use crate::fixtures::{
    HOUR, SECRET, Store, failures, failures_but_delete, fresh_namespace, open, open_in, put,
    record, stored,
};
use crate::observed::observed;
use crate::shown::{all_shown_by, shows_id};

/// A call to an unreachable store is an error of kind `Unavailable`, which is transient.
pub async fn unreachable_store_is_unavailable(harness: &dyn Harness) {
    let Some(store) = harness.unreachable().await.map(observed) else {
        return works_without_a_network(harness);
    };
    for (method, error) in all_failures(&store).await.1 {
        let kind = error.kind();
        ensure(method, ErrorKind::Unavailable, kind, kind == ErrorKind::Unavailable);
        ensure(method, "a transient error", &error, error.is_transient());
    }
}

/// An error keeps its cause as `source()`, and does not repeat it in its own message.
pub async fn error_keeps_its_source(harness: &dyn Harness) {
    let Some(store) = harness.unreachable().await.map(observed) else {
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
pub async fn error_shows_no_id_and_no_value(harness: &dyn Harness) {
    let Some(store) = harness.unreachable().await.map(observed) else {
        return works_without_a_network(harness);
    };
    let (id, failures) = all_failures(&store).await;
    for (method, error) in failures {
        check_secrets(method, &error, &id);
    }
}

/// What a server says when it refuses a call, which often repeats the call's parameters, is no part of the error
/// and no source of it. (Only for a harness with [`Harness::refusing`].)
pub async fn refused_call_shows_no_id_and_no_value(harness: &dyn Harness) {
    let Some(store) = harness.refusing().await.map(observed) else { return };
    let id = SessionId::generate();
    let errors = failures(&store, &id).await;
    let refused = errors.iter().flatten().count();
    ensure("refused calls", "at least one", refused, refused > 0);
    for error in errors.iter().flatten() {
        check_secrets("a refused call", error, &id);
        let kind = error.kind();
        ensure(
            "a refused call",
            "an error that tells the outcome",
            kind,
            kind != ErrorKind::Ambiguous,
        );
    }
}

/// A record that cannot be read is `Corrupt` for a load and an update, and taken or `Corrupt` for a create. A
/// delete removes it and returns `Corrupt`. (Only for a harness with [`Harness::corrupt`].)
pub async fn corrupt_record_is_reported_until_it_is_deleted(harness: &dyn Harness) {
    let namespace = fresh_namespace();
    let store = open_in(harness, &namespace).await;
    let created = record([("password", SECRET)]);
    let (id, other) = (put(&store, &created, HOUR).await, put(&store, &created, HOUR).await);
    if !harness.corrupt(&namespace, &id).await {
        return;
    }
    // Twice: a call must not repair or remove it.
    for _ in 0..2 {
        let [loaded, created, updated, touched] = failures_but_delete(&store, &id).await;
        for (what, error) in [("a load", loaded), ("an update", updated), ("a touch", touched)] {
            check_corrupt(what, error, &id);
        }
        if created.is_some() {
            check_corrupt("a create", created, &id);
        }
    }
    check("another record", stored(&store, &other).await, Some(created.clone()));
    check_corrupt("a delete", store.delete(&id).await.err(), &id);
    check("a load after it", stored(&store, &id).await, None);
    check("a create after it", store.create(&id, &created, HOUR).await, Creation::Created);
}

fn check_corrupt(what: &str, error: Option<Error>, id: &SessionId) {
    let kind = error.as_ref().map(Error::kind);
    ensure(what, Some(ErrorKind::Corrupt), kind, kind == Some(ErrorKind::Corrupt));
    error.iter().for_each(|error| check_secrets(what, error, id));
}

fn check_secrets(what: &str, error: &Error, id: &SessionId) {
    let shown = all_shown_by(error);
    ensure(what, "an error without the id", &shown, !shows_id(error, id));
    ensure(what, "an error without a value", &shown, !shown.contains(SECRET));
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
fn works_without_a_network(harness: &dyn Harness) {
    let calls = async {
        let store = open(harness).await;
        let id = SessionId::generate();
        let record = record([("a", "1")]);
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
