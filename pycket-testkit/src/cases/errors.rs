//! How a driver fails when its store is not there.
//!
//! A driver that has nothing to reach (see [`Harness::unreachable`]) cannot fail like that, and shows it
//! by working where there is no network.

use std::error::Error as _;
use std::thread;

use pycket_core::{Changes, Creation, Error, ErrorKind, SessionId, Update};
use tokio::runtime::Builder;

use crate::Harness;
use crate::check::{check, ensure};
use crate::errors_seen::{all_shown_by, ids_shown};
use crate::steps::{HOUR, METADATA, Store, open, stored, text};

/// A call to a store that is not there is an error of kind `Unavailable`, which is transient.
pub async fn an_unreachable_store_is_unavailable(harness: &impl Harness) {
    let Some(store) = harness.unreachable().await else {
        return works_without_a_network(harness);
    };
    for (method, _, error) in failures(&store).await {
        let kind = error.kind();
        ensure(method, ErrorKind::Unavailable, kind, kind == ErrorKind::Unavailable);
        ensure(method, "a transient error", &error, error.is_transient());
    }
}

/// An error that has a cause keeps it as its `source()`, and does not repeat it in its own message.
pub async fn an_error_keeps_its_cause(harness: &impl Harness) {
    let Some(store) = harness.unreachable().await else {
        return works_without_a_network(harness);
    };
    for (method, _, error) in failures(&store).await {
        let Some(source) = error.source() else {
            panic!("{method}\n  expected: an error with a source\n  came:     {error:?}");
        };
        let (message, cause) = (error.to_string(), source.to_string());
        ensure(method, "a cause that says something", &cause, !cause.is_empty());
        ensure(method, "a message without the cause", &message, !message.contains(&cause));
    }
}

/// No error shows an id or a value: not in its message, not in its `Debug`, not in those of its sources.
pub async fn no_error_shows_an_id_or_a_value(harness: &impl Harness) {
    let Some(store) = harness.unreachable().await else {
        return works_without_a_network(harness);
    };
    for (method, id, error) in failures(&store).await {
        let shown = all_shown_by(&error);
        ensure(method, "an error without the id", &shown, !ids_shown(&error, &id));
        ensure(method, "an error without a value", &shown, !shown.contains(SECRET));
    }
}

const SECRET: &str = "open-sesame";

/// What each method answers, and for which id.
async fn failures(store: &Store) -> Vec<(&'static str, SessionId, Error)> {
    let id = SessionId::generate();
    let record = pycket_core::Record::new(METADATA, [("password", text(SECRET))]);
    let changes = Changes::new().set("password", text(SECRET)).expect("password", None);
    let failed = |method, error: Option<Error>| match error {
        Some(error) => (method, id, error),
        None => {
            panic!("{method} of an unreachable store\n  expected: an error\n  came:     an answer")
        }
    };
    vec![
        failed("a create", store.create(&id, &record, HOUR).await.err()),
        failed("a load", store.load(&id).await.err()),
        failed("an update", store.update(&id, &changes, Some(HOUR)).await.err()),
        failed("a touch", store.update(&id, &Changes::new(), Some(HOUR)).await.err()),
        failed("a delete", store.delete(&id).await.err()),
    ]
}

/// Calls every method where tokio's network is switched off: what needs a socket panics there.
fn works_without_a_network(harness: &impl Harness) {
    let calls = async {
        let store = open(harness).await;
        let id = SessionId::generate();
        let record = crate::steps::record([("a", "1")]);
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
