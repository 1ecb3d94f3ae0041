use own_driver::SqliteStoreBuilder;
use pycket_core::{Changes, Creation, ErrorKind, SessionId, SessionStore, Update};
use pycket_testkit::block_on;
use pycket_testkit::fixtures::{HOUR, SECRET, put, record, text};

use crate::file::{File, shows_a_secret, stored};

#[test]
fn full_file_refuses_new_data_and_loses_nothing() {
    let file = File::new();
    let store = file.builder().max_bytes(SqliteStoreBuilder::MIN_BYTES).build().unwrap();
    let large = SECRET.repeat(10_000);
    block_on(async {
        let before = record([("user", "ann")]);
        let id = put(&store, &before, HOUR).await;

        let changes = Changes::new().set("user", text("eve")).set("large", text(&large));
        let error = store.update(&id, &changes, Some(HOUR)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Full);
        assert!(!shows_a_secret(&error, &id), "{error:?}");
        assert_eq!(stored(&store, &id).await, Some(before.clone()));

        let new = SessionId::generate();
        let error = store.create(&new, &record([("large", &large)]), HOUR).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Full);
        assert_eq!(stored(&store, &new).await, None);

        let touch = store.update(&id, &Changes::new(), Some(HOUR)).await.unwrap();
        assert_eq!(touch, Update::Applied, "a call that needs no space still works");
        assert_eq!(store.delete(&id).await.unwrap(), Some(before));
    });
}

#[test]
fn removed_records_free_space_for_new_ones() {
    let file = File::new();
    let store = file.builder().max_bytes(SqliteStoreBuilder::MIN_BYTES).build().unwrap();
    let half = record([("half", &"x".repeat(20_000))]);
    block_on(async {
        let mut ids = Vec::new();
        let error = loop {
            let id = SessionId::generate();
            match store.create(&id, &half, HOUR).await {
                Ok(Creation::Created) => ids.push(id),
                Ok(Creation::Taken) => panic!("a new id is taken"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::Full);
        assert_eq!(store.delete(&ids.remove(0)).await.unwrap(), Some(half.clone()));
        ids.push(put(&store, &half, HOUR).await);
        for id in ids {
            assert_eq!(stored(&store, &id).await, Some(half.clone()));
        }
    });
}
