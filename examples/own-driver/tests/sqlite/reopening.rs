use std::fs;

use own_driver::SqliteStore;
use pycket_core::{ErrorKind, SessionId, SessionStore};
use pycket_testkit::block_on;
use pycket_testkit::fixtures::{HOUR, put, record};
use tempfile::TempDir;

use crate::file::{File, raw, stored};

#[test]
fn records_survive_the_store_that_wrote_them() {
    let file = File::new();
    block_on(async {
        let before = record([("user", "ann"), ("cart", "apples")]);
        let id = put(&file.store(), &before, HOUR).await;
        assert_eq!(stored(&file.store(), &id).await, Some(before));
    });
}

#[test]
fn dropping_the_store_closes_the_file_properly() {
    let file = File::new();
    block_on(async {
        let store = file.store();
        put(&store, &record([]), HOUR).await;
        assert!(file.path().with_extension("db-wal").exists());
        drop(store);
        assert!(!file.path().with_extension("db-wal").exists());
    });
}

#[test]
fn store_works_once_its_folder_exists() {
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("mounted later");
    let store = SqliteStore::builder(folder.join("sessions.db")).build().unwrap();
    block_on(async {
        let error = store.load(&SessionId::generate()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        fs::create_dir(&folder).unwrap();
        let id = put(&store, &record([("user", "ann")]), HOUR).await;
        assert_eq!(stored(&store, &id).await, Some(record([("user", "ann")])));
    });
}

#[test]
fn file_is_in_wal_mode() {
    let file = File::new();
    block_on(async {
        put(&file.store(), &record([]), HOUR).await;
    });
    let mode: String =
        file.raw().pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn path_that_looks_like_a_url_is_a_path() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file:sessions.db?mode=memory");
    let store = SqliteStore::builder(&path).build().unwrap();
    block_on(async {
        put(&store, &record([]), HOUR).await;
    });
    let version = "SELECT count(*) FROM pycket_records";
    let count: i64 = raw(&path).query_row(version, (), |row| row.get(0)).unwrap();
    assert_eq!(count, 1);
}
