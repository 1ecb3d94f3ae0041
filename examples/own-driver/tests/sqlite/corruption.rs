use std::fs;

use pycket_core::{Changes, ErrorKind, SessionId, SessionStore};
use pycket_testkit::block_on;
use pycket_testkit::fixtures::{HOUR, SECRET, put, record, text};

use crate::file::{File, shows_a_secret, stored};

/// Every call on the record must fail as `Corrupt`, and the calls but delete must leave the file unchanged.
async fn assert_corrupt(file: &File, id: &SessionId) {
    let store = file.store();
    let changes = Changes::new().set("password", text(SECRET));
    let errors = [
        store.create(id, &record([("password", SECRET)]), HOUR).await.unwrap_err(),
        store.load(id).await.unwrap_err(),
        store.update(id, &changes, Some(HOUR)).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
        assert!(!shows_a_secret(&error, id), "{error:?}");
    }
}

#[test]
fn file_that_is_no_database_is_corrupt_and_left_unchanged() {
    let file = File::new();
    let content = "user,password\n".repeat(1000);
    fs::write(file.path(), &content).unwrap();
    let id = SessionId::generate();
    block_on(assert_corrupt(&file, &id));
    let error = block_on(file.store().delete(&id)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(fs::read_to_string(file.path()).unwrap(), content);
}

#[test]
fn file_of_a_newer_version_is_corrupt_until_its_version_is_known() {
    let file = File::new();
    block_on(async {
        let store = file.store();
        let before = record([("user", "ann")]);
        let id = put(&store, &before, HOUR).await;
        let version = file.version();
        file.raw().pragma_update(None, "user_version", version + 1).unwrap();
        assert_corrupt(&file, &id).await;
        let error = file.store().delete(&id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        file.raw().pragma_update(None, "user_version", version).unwrap();
        assert_eq!(stored(&file.store(), &id).await, Some(before));
    });
}

#[test]
fn record_with_an_invalid_granted_ttl_is_corrupt_and_others_are_not() {
    let file = File::new();
    block_on(async {
        let store = file.store();
        let id = put(&store, &record([("password", SECRET)]), HOUR).await;
        file.raw().execute("UPDATE pycket_records SET granted = -1", ()).unwrap();
        let other = put(&store, &record([("user", "bob")]), HOUR).await;
        assert_corrupt(&file, &id).await;
        assert_eq!(stored(&store, &other).await, Some(record([("user", "bob")])));
        let granted = "SELECT granted FROM pycket_records ORDER BY record LIMIT 1";
        let stored: i64 = file.raw().query_row(granted, (), |row| row.get(0)).unwrap();
        assert_eq!(stored, -1);
    });
}

#[test]
fn name_that_is_no_text_is_corrupt_and_not_shown() {
    let file = File::new();
    block_on(async {
        let store = file.store();
        let id = put(&store, &record([("user", "ann")]), HOUR).await;
        let name = "UPDATE pycket_values SET name = CAST(x'fe' || 'open-sesame' AS TEXT)";
        file.raw().execute(name, ()).unwrap();
        for error in [store.load(&id).await.unwrap_err(), store.delete(&id).await.unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(!shows_a_secret(&error, &id), "{error:?}");
        }
        assert_eq!(stored(&store, &id).await, None, "a user can sign out");
    });
}

#[test]
fn database_of_another_program_is_refused_and_left_unchanged() {
    let file = File::new();
    file.raw()
        .execute_batch("CREATE TABLE pycket_records (other); PRAGMA user_version = 2")
        .unwrap();
    let id = SessionId::generate();
    block_on(async {
        let created = file.store().create(&id, &record([("password", SECRET)]), HOUR).await;
        let error = created.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected);
        assert!(!shows_a_secret(&error, &id), "{error:?}");
    });
    let rows = "SELECT count(*) FROM pycket_records";
    let rows: i64 = file.raw().query_row(rows, (), |row| row.get(0)).unwrap();
    assert_eq!(rows, 0);
}
