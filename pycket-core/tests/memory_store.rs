//! The promises of the memory store beyond the contract of `SessionStore`: its limit and its size.
#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use pycket_core::{
    Changes, Creation, Error, ErrorKind, MemoryStore, MemoryStoreBuilder, Metadata, Record,
    SessionId, SessionStore, Timestamp, Ttl, Update, Value,
};
use pycket_testkit::ManualClock;

const CYCLES: usize = 100_000;

#[tokio::test]
async fn create_in_a_full_store_fails_and_evicts_nothing() {
    let store = limited(3);
    let ids = [
        create(&store, minute()).await,
        create(&store, minute()).await,
        create(&store, minute()).await,
    ]
    .map(Result::unwrap);
    for _ in 0..100 {
        assert_eq!(create(&store, minute()).await.unwrap_err().kind(), ErrorKind::Full);
    }
    for id in ids {
        assert_eq!(store.load(&id).await.unwrap().unwrap().record, record());
    }
    assert_eq!((store.len(), store.is_empty()), (3, false));
}

#[tokio::test]
async fn error_of_a_full_store_names_the_setting() {
    let store = limited(1);
    create(&store, minute()).await.unwrap();
    let error = create(&store, minute()).await.unwrap_err();
    assert!(error.to_string().contains("max_records"), "{error}");
    assert!(!error.is_transient());
}

#[tokio::test]
async fn record_ends_by_the_clock_of_the_system() {
    let store = MemoryStore::new();
    let id = create(&store, Ttl::from_millis(1).unwrap()).await.unwrap();
    std::thread::sleep(Duration::from_millis(2));
    assert_eq!(store.load(&id).await.unwrap(), None);
}

#[tokio::test]
async fn full_store_still_loads_updates_and_deletes() {
    let store = limited(1);
    let id = create(&store, minute()).await.unwrap();
    let changes = Changes::new().set("more", Value::encode("x").unwrap());
    assert_eq!(store.update(&id, &changes, Some(minute())).await.unwrap(), Update::Applied);
    let deleted = store.delete(&id).await.unwrap().unwrap();
    assert_eq!(deleted.names().collect::<Vec<_>>(), ["more", "user"]);
}

#[tokio::test]
async fn delete_makes_room_for_a_new_record() {
    let store = limited(1);
    for _ in 0..100 {
        let id = create(&store, minute()).await.unwrap();
        store.delete(&id).await.unwrap();
    }
    assert!(store.is_empty());
}

#[tokio::test]
async fn expired_records_do_not_count_towards_the_limit() {
    let clock = ManualClock::new();
    let store = builder(100).clock(clock.clone()).build().unwrap();
    for _ in 0..3 {
        for _ in 0..100 {
            create(&store, minute()).await.unwrap();
        }
        assert_eq!(create(&store, minute()).await.unwrap_err().kind(), ErrorKind::Full);
        clock.advance(Duration::from_secs(60));
    }
}

#[tokio::test]
async fn renewed_record_counts_towards_the_limit_until_its_new_expiry() {
    let clock = ManualClock::new();
    let store = builder(1).clock(clock.clone()).build().unwrap();
    let id = create(&store, minute()).await.unwrap();
    clock.advance(Duration::from_secs(59));
    let touch = store.update(&id, &Changes::new(), Some(minute())).await;
    assert_eq!(touch.unwrap(), Update::Applied);
    clock.advance(Duration::from_secs(59));
    assert_eq!(create(&store, minute()).await.unwrap_err().kind(), ErrorKind::Full);
    assert!(store.load(&id).await.unwrap().is_some());
    clock.advance(Duration::from_secs(1));
    create(&store, minute()).await.unwrap();
}

#[tokio::test]
async fn shortened_record_counts_towards_the_limit_until_its_new_expiry() {
    let clock = ManualClock::new();
    let store = builder(1).clock(clock.clone()).build().unwrap();
    let id = create(&store, minute()).await.unwrap();
    let shorter = store.update(&id, &Changes::new(), Ttl::from_millis(1000)).await;
    assert_eq!(shorter.unwrap(), Update::Applied);
    assert_eq!(create(&store, minute()).await.unwrap_err().kind(), ErrorKind::Full);
    clock.advance(Duration::from_secs(1));
    create(&store, minute()).await.unwrap();
}

#[tokio::test]
async fn record_has_ended_at_the_moment_at_which_its_ttl_has_passed() {
    let clock = ManualClock::new();
    let store = MemoryStore::builder().clock(clock.clone()).build().unwrap();
    let id = create(&store, minute()).await.unwrap();
    clock.advance(Duration::from_secs(60));
    assert_eq!(store.load(&id).await.unwrap(), None);
    assert_eq!(store.update(&id, &Changes::new(), None).await.unwrap(), Update::Ended);
    assert_eq!(store.delete(&id).await.unwrap(), None);
}

/// There are more of them than the other creates remove, so some are still there.
#[tokio::test]
async fn record_in_the_place_of_an_expired_one_is_counted_once() {
    const RECORDS: usize = 1000;
    let clock = ManualClock::new();
    let store = MemoryStore::builder().clock(clock.clone()).build().unwrap();
    let mut ids = Vec::new();
    for _ in 0..RECORDS {
        ids.push(create(&store, minute()).await.unwrap());
    }
    clock.advance(Duration::from_secs(60));
    for id in &ids {
        assert_eq!(store.create(id, &record(), minute()).await.unwrap(), Creation::Created);
    }
    assert_eq!(store.len(), RECORDS);
}

#[tokio::test]
async fn concurrent_creates_do_not_exceed_the_limit() {
    let store = Arc::new(limited(10));
    let creates: Vec<_> = (0..64)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { create(&store, minute()).await.is_ok() })
        })
        .collect();
    let mut created = 0;
    for create in creates {
        created += usize::from(create.await.unwrap());
    }
    assert_eq!((created, store.len()), (10, 10));
}

#[tokio::test]
async fn len_is_the_number_of_records() {
    let store = MemoryStore::new();
    assert!(store.is_empty());
    let one = create(&store, minute()).await.unwrap();
    let two = create(&store, minute()).await.unwrap();
    assert_eq!(store.create(&one, &record(), minute()).await.unwrap(), Creation::Taken);
    assert_eq!(store.len(), 2);
    store.delete(&one).await.unwrap();
    store.delete(&one).await.unwrap();
    assert_eq!(store.len(), 1);
    store.delete(&two).await.unwrap();
    assert!(store.is_empty());
}

#[tokio::test]
async fn store_of_expiring_records_does_not_grow() {
    let clock = ManualClock::new();
    let store = MemoryStore::builder().clock(clock.clone()).build().unwrap();
    let mut most = 0;
    for _ in 0..CYCLES {
        create(&store, Ttl::from_millis(100).unwrap()).await.unwrap();
        clock.advance(Duration::from_millis(1));
        most = most.max(store.len());
    }
    // 100 are live at any time. An expired record stays until the next `create` in its shard.
    assert!(most <= 400, "the store grew to {most} records with 100 live ones");
}

#[tokio::test]
async fn store_of_renewed_and_expiring_records_does_not_grow() {
    let clock = ManualClock::new();
    let store = MemoryStore::builder().clock(clock.clone()).build().unwrap();
    let ttl = Ttl::from_millis(100).unwrap();
    let mut most = 0;
    for _ in 0..CYCLES {
        let id = create(&store, ttl).await.unwrap();
        clock.advance(Duration::from_millis(1));
        let touch = store.update(&id, &Changes::new(), Some(ttl)).await;
        assert_eq!(touch.unwrap(), Update::Applied);
        most = most.max(store.len());
    }
    assert!(most <= 400, "the store grew to {most} records with 101 live ones");
}

#[tokio::test]
async fn store_of_deleted_records_does_not_grow() {
    let store = MemoryStore::new();
    for _ in 0..CYCLES {
        let id = create(&store, Ttl::MAX).await.unwrap();
        assert!(store.len() <= 1);
        store.delete(&id).await.unwrap();
    }
    assert!(store.is_empty());
}

#[tokio::test]
async fn debug_of_the_store_shows_no_record() {
    let store = limited(7);
    let id = create(&store, minute()).await.unwrap();
    let shown = format!("{store:?}");
    assert!(shown.contains("records: 1") && shown.contains('7'), "{shown}");
    assert!(!shown.contains("user") && !shown.contains(&id.expose()), "{shown}");
}

fn limited(max_records: usize) -> MemoryStore {
    builder(max_records).build().unwrap()
}

fn builder(max_records: usize) -> MemoryStoreBuilder {
    MemoryStore::builder().max_records(NonZeroUsize::new(max_records).unwrap())
}

fn minute() -> Ttl {
    Ttl::from_millis(60_000).unwrap()
}

fn record() -> Record {
    let metadata = Metadata::new(Timestamp::from_unix_millis(0));
    Record::new(metadata, [("user", Value::encode("ann").unwrap())])
}

async fn create(store: &MemoryStore, ttl: Ttl) -> Result<SessionId, Error> {
    let id = SessionId::generate();
    store.create(&id, &record(), ttl).await.map(|created| {
        assert_eq!(created, Creation::Created);
        id
    })
}
