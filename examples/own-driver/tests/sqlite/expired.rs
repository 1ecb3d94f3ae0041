use std::time::Duration;

use own_driver::SqliteStore;
use pycket_core::Ttl;
use pycket_testkit::fixtures::{HOUR, put, record};
use pycket_testkit::{ManualClock, block_on};

use crate::file::{File, stored};

const MINUTE: Ttl = Ttl::from_millis(60_000).unwrap();

fn store(file: &File, clock: &ManualClock) -> SqliteStore {
    file.builder().clock(clock.clone()).build().unwrap()
}

/// How many rows the two tables have.
fn rows(file: &File) -> (i64, i64) {
    let count = |table| {
        let sql = format!("SELECT count(*) FROM {table}");
        file.raw().query_row(&sql, (), |row| row.get(0)).unwrap()
    };
    (count("pycket_records"), count("pycket_values"))
}

#[test]
fn create_removes_two_expired_records_and_no_live_one() {
    let (file, clock) = (File::new(), ManualClock::new());
    let store = store(&file, &clock);
    block_on(async {
        for _ in 0..10 {
            put(&store, &record([("a", "1"), ("b", "2")]), MINUTE).await;
        }
        let live = put(&store, &record([("user", "ann")]), HOUR).await;
        assert_eq!(rows(&file), (11, 21));

        clock.advance(Duration::from_secs(120));
        for remaining in [10, 9, 8, 7, 6, 7, 8] {
            put(&store, &record([]), HOUR).await;
            assert_eq!(rows(&file).0, remaining);
        }
        assert_eq!(rows(&file).1, 1, "the values are removed with their records");
        assert_eq!(stored(&store, &live).await, Some(record([("user", "ann")])));
    });
}

#[test]
fn remove_expired_removes_up_to_the_limit() {
    let (file, clock) = (File::new(), ManualClock::new());
    let store = store(&file, &clock);
    block_on(async {
        for _ in 0..5 {
            put(&store, &record([("a", "1")]), MINUTE).await;
        }
        put(&store, &record([("a", "1")]), HOUR).await;
        assert_eq!(store.remove_expired(100).await.unwrap(), 0);
        clock.advance(Duration::from_secs(120));
        assert_eq!(store.remove_expired(3).await.unwrap(), 3);
        assert_eq!(store.remove_expired(3).await.unwrap(), 2);
        assert_eq!(rows(&file), (1, 1));
    });
}

#[test]
fn expired_records_are_found_by_the_index_on_their_end() {
    let file = File::new();
    block_on(async {
        put(&file.store(), &record([]), HOUR).await;
    });
    let sql = "EXPLAIN QUERY PLAN SELECT record FROM pycket_records
               WHERE expires_at < 1 ORDER BY expires_at LIMIT 2";
    let plan: String = file.raw().query_row(sql, (), |row| row.get("detail")).unwrap();
    assert!(plan.contains("USING COVERING INDEX pycket_records_by_end"), "{plan}");
}
