use std::time::Duration;

use pycket_core::{Changes, ErrorKind, SessionStore, Update};
use pycket_testkit::block_on;
use pycket_testkit::fixtures::{HOUR, SECRET, put, record, text};

use crate::file::{File, shows_a_secret, stored};

#[test]
fn write_is_unavailable_and_read_works_while_another_program_writes() {
    let file = File::new();
    let store = file.builder().timeout(Duration::from_millis(30)).build().unwrap();
    block_on(async {
        let before = record([("user", "ann")]);
        let id = put(&file.store(), &before, HOUR).await;
        let other = file.raw();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let changes = Changes::new().set("password", text(SECRET));
        let error = store.update(&id, &changes, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(!shows_a_secret(&error, &id), "{error:?}");
        // This handle waits long enough, even on a slow machine.
        assert_eq!(stored(&file.store(), &id).await, Some(before));
    });
}

#[test]
fn write_waits_until_the_other_program_has_committed() {
    let file = File::new();
    let store = file.store();
    block_on(async {
        let id = put(&store, &record([("user", "ann")]), HOUR).await;
        let other = file.raw();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let changes = Changes::new().set("user", text("bob"));
        let mut update = store.update(&id, &changes, None);
        assert!(is_pending(&mut update));
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(update.await.unwrap(), Update::Applied);
        assert_eq!(stored(&store, &id).await, Some(record([("user", "bob")])));
    });
}

#[test]
fn call_dropped_before_it_begins_never_happens() {
    let file = File::new();
    let store = file.store();
    block_on(async {
        let before = record([("user", "ann")]);
        let id = put(&store, &before, HOUR).await;
        let other = file.raw();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        // The first of the two blocks the thread until the other program has committed.
        let (first, second) =
            (Changes::new().set("first", text("1")), Changes::new().remove("user"));
        let mut begun = store.update(&id, &first, None);
        assert!(is_pending(&mut begun));
        let mut dropped = store.update(&id, &second, None);
        assert!(is_pending(&mut dropped));
        drop(dropped);
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(begun.await.unwrap(), Update::Applied);
        assert_eq!(stored(&store, &id).await, Some(record([("first", "1"), ("user", "ann")])));
    });
}

fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::Pin::new(future).poll(&mut context).is_pending()
}
