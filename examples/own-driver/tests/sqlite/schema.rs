use pycket_core::{
    Changes, KeySpace, Metadata, Record, SessionId, SessionStore, Timestamp, Update,
};
use pycket_testkit::block_on;
use pycket_testkit::fixtures::{HOUR, put, record, text};

use crate::file::{File, stored};

const CREATED: u64 = 1_500_000_000_000;

const LATEST: i64 = 3;

/// Writes a file as version 1 of the driver did, with one session.
fn write_version_1(file: &File, id: &SessionId) {
    let raw = file.raw();
    raw.execute_batch(include_str!("../../src/schema/1.sql")).unwrap();
    raw.pragma_update(None, "user_version", 1).unwrap();
    let end = 4_000_000_000_000_i64;
    let sql =
        "INSERT INTO pycket_records (record, key, created, expires_at) VALUES (7, ?1, ?2, ?3)";
    let key = KeySpace::new("", KeySpace::SESSIONS).key(id);
    raw.execute(sql, (key, CREATED.cast_signed(), end)).unwrap();
    let value = text("ann");
    raw.execute("INSERT INTO pycket_values VALUES (7, 'user', ?1)", (value.as_bytes(),)).unwrap();
}

#[test]
fn file_of_version_1_is_migrated_with_its_sessions() {
    let file = File::new();
    let id = SessionId::generate();
    write_version_1(&file, &id);
    block_on(async {
        let store = file.store();
        let created = Timestamp::from_unix_millis(CREATED);
        let metadata = Metadata::new(created);
        let expected = Record::new(metadata, [("user", text("ann"))]);
        assert_eq!(stored(&store, &id).await, Some(expected));

        // Version 1 had no granted ttls.
        let changed = Metadata::new(created).with_granted(Some(HOUR));
        let changes = Changes::new().with_metadata(changed);
        assert_eq!(store.update(&id, &changes, None).await.unwrap(), Update::Applied);
        let loaded = stored(&file.store(), &id).await.unwrap();
        assert_eq!(*loaded.metadata(), changed);
    });
}

#[test]
fn one_of_many_stores_that_start_together_migrates_the_file() {
    let file = File::new();
    let id = SessionId::generate();
    write_version_1(&file, &id);
    let stores = [(); 8].map(|()| file.store());
    std::thread::scope(|scope| {
        for store in &stores {
            scope.spawn(|| {
                block_on(async { assert!(stored(store, &id).await.is_some()) });
            });
        }
    });
    assert_eq!(file.version(), LATEST);
}

#[test]
fn many_stores_can_create_the_file_at_the_same_moment() {
    let file = File::new();
    let stores = [(); 8].map(|()| file.store());
    std::thread::scope(|scope| {
        for store in &stores {
            scope.spawn(|| {
                block_on(async { put(store, &record([]), HOUR).await });
            });
        }
    });
    assert_eq!(file.version(), LATEST);
}
