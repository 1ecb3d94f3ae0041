use own_driver::SqliteStore;
use pycket_core::{Changes, Creation, SessionId, SessionStore, Update, Version};
use pycket_testkit::block_on;
use pycket_testkit::fixtures::{HOUR, put, record, text};

use crate::file::File;

#[test]
fn update_after_a_load_does_not_read_the_expected_values_again() {
    let file = File::new();
    block_on(async {
        let store = file.store();
        let id = put(&store, &record([("a", "1")]), HOUR).await;
        let version = version(&store, &id).await;
        // Another program removes the value, but leaves the revision, so the driver sees it only if it reads.
        file.raw().execute("DELETE FROM pycket_values", ()).unwrap();
        let changes = Changes::new().expect("a", Some(text("1"))).set("b", text("2"));
        let update = store.update(&id, &changes, None).await;
        assert_eq!(update.unwrap(), Update::Conflict, "without the version");
        let update = store.update(&id, &changes.with_version(version), None).await;
        assert_eq!(update.unwrap(), Update::Applied, "with the version");
    });
}

#[test]
fn every_create_and_update_has_another_revision() {
    let file = File::new();
    block_on(async {
        let store = file.store();
        let id = put(&store, &record([("a", "1")]), HOUR).await;
        let created = revision(&file);
        let set = Changes::new().set("a", text("1"));
        assert_eq!(store.update(&id, &set, None).await.unwrap(), Update::Applied);
        let updated = revision(&file);
        let after_a_load = set.with_version(version(&store, &id).await);
        assert_eq!(store.update(&id, &after_a_load, None).await.unwrap(), Update::Applied);
        let updated_after_a_load = revision(&file);
        store.delete(&id).await.unwrap();
        let created_again = store.create(&id, &record([("a", "1")]), HOUR).await;
        assert_eq!(created_again.unwrap(), Creation::Created);
        let mut revisions = vec![created, updated, updated_after_a_load, revision(&file)];
        revisions.sort_unstable();
        revisions.dedup();
        assert_eq!(revisions.len(), 4, "{revisions:?}");
    });
}

async fn version(store: &SqliteStore, id: &SessionId) -> Option<Version> {
    store.load(id).await.unwrap().unwrap().version
}

/// Of the only record.
fn revision(file: &File) -> i64 {
    file.raw().query_row("SELECT revision FROM pycket_records", (), |row| row.get(0)).unwrap()
}
