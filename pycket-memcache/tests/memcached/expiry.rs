//! When records expire: memcached counts whole seconds, and every machine has its own clock.

use std::time::Instant;

use pycket_core::{Clock, SystemClock};
use pycket_testkit::servers::NetworkFault;
use pycket_testkit::{ManualClock, block_on};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::*;

const MINUTE: Ttl = Ttl::from_millis(60_000).unwrap();

/// Maximum error of an expiry. memcached alone is off by up to a second.
const EXACT: Duration = Duration::from_millis(100);

/// Maximum error of an expiry if the clocks of two servers are unrelated.
const ROUGH: Duration = Duration::from_secs(4);

#[derive(Debug)]
struct WrongClock {
    is_ahead: bool,
    by: Duration,
}

impl Clock for WrongClock {
    fn now(&self) -> Timestamp {
        let (now, by) = (SystemClock::new().now().unix_millis(), self.by.as_millis() as u64);
        Timestamp::from_unix_millis(if self.is_ahead { now + by } else { now - by })
    }

    fn elapsed(&self) -> Duration {
        SystemClock::new().elapsed()
    }
}

fn ahead(by: Duration) -> MemcacheStore {
    slow_builder(shared()).clock(Arc::new(WrongClock { is_ahead: true, by })).build().unwrap()
}

fn behind(by: Duration) -> MemcacheStore {
    slow_builder(shared()).clock(Arc::new(WrongClock { is_ahead: false, by })).build().unwrap()
}

async fn expires_in(store: &dyn SessionStore, id: &SessionId) -> Duration {
    store.load(id).await.unwrap().unwrap().expires_in
}

fn seconds_left(id: &SessionId) -> Option<i64> {
    RawClient::new(shared()).seconds_left(&key(id))
}

#[test]
fn record_expires_on_time_wherever_in_a_second_it_was_written() {
    let store = Arc::new(store(shared()));
    let mut records = JoinSet::new();
    for millis in [1, 400, 999, 1000, 1001, 1700, 2000, 2300] {
        for start in [0, 170, 390, 610, 830] {
            for is_touched in [false, true] {
                let record = expires_on_time(store.clone(), ttl(millis), is_touched);
                let start = Duration::from_millis(start);
                records.spawn_on(
                    async move {
                        sleep(start).await;
                        record.await;
                    },
                    &block_on(async { tokio::runtime::Handle::current() }),
                );
            }
        }
    }
    block_on(records.join_all());
}

/// Fails only for what is certain, so that a slow machine cannot fail it.
async fn expires_on_time(store: Arc<MemcacheStore>, ttl: Ttl, is_touched: bool) {
    let expected = ttl.as_duration();
    let (mut begin, id) = (Instant::now(), SessionId::generate());
    let first = if is_touched { HOUR } else { ttl };
    let answer = store.create(&id, &record([]), first).await;
    assert_eq!(answer.unwrap(), Creation::Created);
    if is_touched {
        begin = Instant::now();
        assert_eq!(touch(&*store, &id, ttl).await, Update::Applied);
    }
    let begun = Instant::now();
    loop {
        let asked = Instant::now();
        let is_alive = store.load(&id).await.unwrap().is_some();
        if !is_alive {
            let lived = begin.elapsed();
            return assert!(lived >= expected, "{expected:?} expired after {lived:?}");
        }
        let lived = asked - begun;
        assert!(lived < expected + EXACT, "{expected:?} still lives after {lived:?}");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn server_keeps_an_item_ten_seconds_longer_than_its_record() {
    let store = store(shared());
    const DAY: u64 = 24 * 60 * 60;
    for seconds in [1, 59, 3600, 30 * DAY - 10, 30 * DAY, 31 * DAY, 3653 * DAY] {
        let ttl = ttl(seconds * 1000);
        let created = put_for(&store, &record([]), ttl).await;
        let touched = put(&store, &record([])).await;
        assert_eq!(touch(&store, &touched, ttl).await, Update::Applied);
        let updated = put(&store, &record([])).await;
        let answer = store.update(&updated, &set("name", "value"), Some(ttl)).await;
        assert_eq!(answer.unwrap(), Update::Applied);
        for id in [created, touched, updated] {
            let kept = seconds_left(&id).unwrap() - seconds as i64;
            assert!((5..=14).contains(&kept), "{seconds} s are kept {kept} s longer");
        }
    }
}

#[tokio::test]
async fn update_without_a_ttl_keeps_the_expiry() {
    let store = store(shared());
    let id = put_for(&store, &record([]), MINUTE).await;
    let expiry = |bytes: Vec<u8>| bytes[bytes.len() - 9..].to_vec();
    let mut raw_client = RawClient::new(shared());
    let before = expiry(raw_client.get(&key(&id)).unwrap());
    for number in 0..100 {
        let changes = set("name", &number.to_string());
        assert_eq!(store.update(&id, &changes, None).await.unwrap(), Update::Applied);
    }
    assert_eq!(expiry(raw_client.get(&key(&id)).unwrap()), before);
    assert!(seconds_left(&id).unwrap() <= 72);
}

#[tokio::test]
async fn clock_that_is_an_hour_off_does_not_move_the_expiry() {
    let hour = HOUR.as_duration();
    let stores = [store(shared()), ahead(hour), behind(hour)];
    for ttl in [MINUTE, ttl(29 * 24 * 60 * 60 * 1000)] {
        for writer in &stores {
            let created = put_for(writer, &record([]), ttl).await;
            let touched = put(&store(shared()), &record([])).await;
            assert_eq!(touch(writer, &touched, ttl).await, Update::Applied);
            for id in [created, touched] {
                let begin = Instant::now();
                for reader in stores.iter().cycle().take(30) {
                    let answer = reader.update(&id, &set("a", "b"), None).await;
                    assert_eq!(answer.unwrap(), Update::Applied);
                    let remaining = expires_in(reader, &id).await + begin.elapsed();
                    let off = remaining.abs_diff(ttl.as_duration());
                    assert!(off < ROUGH, "{off:?} off");
                }
            }
        }
    }
}

#[tokio::test]
async fn clock_that_is_an_hour_off_does_not_keep_a_session() {
    let hour = HOUR.as_duration();
    let (ahead, behind) = (ahead(hour), behind(hour));
    let ids = [
        put_for(&ahead, &record([]), Ttl::MIN).await,
        put_for(&behind, &record([]), Ttl::MIN).await,
    ];
    sleep(ROUGH).await;
    for id in &ids {
        for store in [&store(shared()), &behind, &ahead] {
            assert_eq!(stored(store, id).await, None);
        }
    }
}

#[tokio::test]
async fn clock_that_is_seconds_off_moves_the_expiry_by_as_much() {
    let off = Duration::from_secs(5);
    let id = put_for(&store(shared()), &record([]), MINUTE).await;
    let begin = Instant::now();
    for (store, expected) in [
        (store(shared()), MINUTE.as_duration()),
        (ahead(off), MINUTE.as_duration() - off),
        (behind(off), MINUTE.as_duration() + off),
    ] {
        let remaining = expires_in(&store, &id).await;
        assert!((remaining + begin.elapsed()).abs_diff(expected) < EXACT, "{remaining:?}");
    }
}

/// The server keeps an item ten seconds longer than its record.
#[tokio::test]
async fn server_decides_if_it_differs_from_the_record_by_over_ten_seconds() {
    let clock = ManualClock::default();
    let id = put_for(&store(shared()), &record([]), HOUR).await;
    let item = RawClient::new(shared()).get(&key(&id)).unwrap();
    let record = &item[..item.len() - 8];
    for (by_record, server_seconds, expected) in
        [(70_000, 70, 70_000), (70_001, 70, 60_000), (50_000, 70, 50_000), (49_999, 70, 60_000)]
    {
        let expires_at = (clock.now().unix_millis() + by_record).to_be_bytes();
        let value = [record, &expires_at[..]].concat();
        let header = format!("VA {} c7 t{server_seconds}\r\n", value.len());
        let answer = [header.as_bytes(), &value, b"\r\n"].concat();
        let server = FakeServer::answering(answer).await;
        let store = at(&server).clock(clock.clone()).build().unwrap();
        assert_eq!(expires_in(&store, &id).await, Duration::from_millis(expected));
    }
}

#[tokio::test]
async fn expired_item_is_deleted_before_it_is_reported_as_missing() {
    let (store, behind) = (store(shared()), behind(Duration::from_secs(5)));
    let id = put_for(&store, &record([]), ttl(100)).await;
    sleep(Duration::from_millis(110)).await;
    assert!(expires_in(&behind, &id).await > Duration::ZERO);
    assert_eq!(stored(&store, &id).await, None);
    assert_eq!(RawClient::new(shared()).get(&key(&id)), None);
    assert_eq!(behind.update(&id, &set("name", "value"), Some(HOUR)).await.unwrap(), Update::Ended);
    assert_eq!(touch(&behind, &id, HOUR).await, Update::Ended);
    assert_eq!(stored(&behind, &id).await, None);
}

/// A client whose clock is behind renews the record after it was read.
#[tokio::test]
async fn expired_item_that_is_renewed_meanwhile_is_not_deleted() {
    let behind = behind(Duration::from_secs(5));
    let id = put_for(&store(shared()), &record([]), ttl(100)).await;
    sleep(Duration::from_millis(110)).await;
    let proxy = FaultProxy::new(shared().address());
    proxy.fail_request(1, NetworkFault::Delay);
    let store = through(&proxy);
    let renew = async {
        proxy.struck().await;
        assert_eq!(touch(&behind, &id, HOUR).await, Update::Applied);
        proxy.heal();
    };
    let (found, ()) = tokio::join!(stored(&store, &id), renew);
    assert_eq!(found, Some(record([])));
}

/// The clock counts whole milliseconds, so the record may have been stored almost one later.
#[tokio::test]
async fn record_expires_in_the_millisecond_after_its_ttl() {
    let clock = ManualClock::default();
    let store = slow_builder(shared()).clock(clock.clone()).build().unwrap();
    let id = put_for(&store, &record([]), ttl(1000)).await;
    clock.advance(Duration::from_millis(1000));
    assert_eq!(expires_in(&store, &id).await, Duration::from_millis(1));
    clock.advance(Duration::from_millis(1));
    assert_eq!(stored(&store, &id).await, None);
}

/// memcached accepts no date after January 2038.
#[tokio::test]
async fn expiry_after_the_last_date_of_memcached_is_on_time() {
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    let long = Ttl::MAX.as_duration();
    let store = ahead(12 * year);
    let created = put_for(&store, &record([]), Ttl::MAX).await;
    let touched = put(&store, &record([])).await;
    assert_eq!(touch(&store, &touched, Ttl::MAX).await, Update::Applied);
    for id in [created, touched] {
        assert_eq!(seconds_left(&id), Some(-1));
        assert!(expires_in(&store, &id).await.abs_diff(long) < ROUGH);
        let second = Duration::from_secs(1);
        assert!(stored(&ahead(12 * year + long - 10 * second), &id).await.is_some());
        assert_eq!(stored(&ahead(12 * year + long + second), &id).await, None);
        assert_eq!(seconds_left(&id), None);
    }
}

#[tokio::test]
async fn item_without_an_expiry_ends_with_its_record() {
    let store = store(shared());
    let id = put_for(&store, &record([("name", "value")]), ttl(500)).await;
    let mut raw_client = RawClient::new(shared());
    let bytes = raw_client.get(&key(&id)).unwrap();
    raw_client.set(&key(&id), 0, &bytes);
    assert_eq!(stored(&store, &id).await, Some(record([("name", "value")])));
    sleep(Duration::from_millis(510)).await;
    assert_eq!(stored(&store, &id).await, None);
}
