//! Servers that announce large items. A program of its own, because it counts all allocations.

use std::sync::Arc;
use std::time::Duration;

use pycket_core::{
    Changes, Creation, ErrorKind, Metadata, Record, SessionId, SessionStore, Timestamp, Update,
    Value,
};
use pycket_memcache::{MemcacheStore, MemcacheStoreBuilder};
use pycket_testkit::fixtures::{HOUR, failures};
use pycket_testkit::servers::{FakeServer, Server};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

const MEBIBYTE: usize = 1024 * 1024;

/// With timeouts that no call reaches, so that only the limit can end it.
fn at(address: impl ToString) -> MemcacheStoreBuilder {
    let builder = MemcacheStore::builder().servers([address.to_string()]);
    builder.connect_timeout(Duration::MAX).response_timeout(Duration::MAX)
}

fn large(size: usize) -> Record {
    let metadata = Metadata::new(Timestamp::from_unix_millis(7));
    Record::new(metadata, [("large", Value::from(vec![7; size]))])
}

#[tokio::test]
async fn announced_900_megabytes_are_an_error_at_once() {
    let fake_server = FakeServer::answering("VA 900000000 c7 t5\r\n").await;
    let store = at(fake_server.address()).build().unwrap();
    let errors = failures(&store, &SessionId::generate()).await;
    let kinds = errors.each_ref().map(|error| error.as_ref().unwrap().kind());
    let [load, create, update, touch, delete] = kinds;
    assert_eq!([load, update, touch, delete], [ErrorKind::TooLarge; 4]);
    assert_eq!(create, ErrorKind::Ambiguous);
    let error = errors.into_iter().flatten().next().unwrap().to_string();
    assert!(error.contains("`max_response_bytes`"), "{error}");
}

/// The answers do not end, so what is announced below the limit is not reserved either.
#[test]
fn sixteen_announced_items_take_no_memory() {
    let sixteen_loads = async |answer: &'static str| {
        let fake_server = FakeServer::answering(answer).await;
        let builder = at(fake_server.address()).max_connections(16);
        let store = Arc::new(builder.response_timeout(Duration::from_secs(1)).build().unwrap());
        let mut loads = JoinSet::new();
        for _ in 0..16 {
            let store = store.clone();
            loads.spawn(async move { store.load(&SessionId::generate()).await.is_err() });
        }
        assert_eq!(loads.join_all().await, [true; 16]);
    };
    for answer in ["VA 900000000 c7 t5\r\n", "VA 60000000 c7 t5\r\n"] {
        // All tasks of this runtime run on this thread, whose allocations are counted.
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let memory = allocation_counter::measure(|| runtime.block_on(sixteen_loads(answer)));
        assert!(memory.bytes_max < 16 * MEBIBYTE as u64, "{} bytes for {answer}", memory.bytes_max);
    }
}

#[tokio::test]
async fn item_just_below_the_limit_is_read_and_one_over_it_is_not() {
    for (size, kind) in [(MEBIBYTE, ErrorKind::Corrupt), (MEBIBYTE + 1, ErrorKind::TooLarge)] {
        let answer = format!("VA {size} c7 t5\r\n{}\r\n", "a".repeat(size));
        let fake_server = FakeServer::answering(answer).await;
        let store = at(fake_server.address()).max_response_bytes(MEBIBYTE).build().unwrap();
        // Not a session, so it is corrupt as soon as it is read.
        assert_eq!(store.load(&SessionId::generate()).await.unwrap_err().kind(), kind);
    }
}

#[tokio::test]
async fn record_over_the_limit_is_refused_before_it_is_sent() {
    let fake_server = FakeServer::answering("STAT item_size_max 9000000\r\nEND\r\n").await;
    let store = at(fake_server.address()).max_response_bytes(MEBIBYTE).build().unwrap();
    let error = store.create(&SessionId::generate(), &large(MEBIBYTE), HOUR).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("`max_response_bytes`"), "{error}");
}

#[tokio::test]
async fn record_just_below_the_limit_works() {
    let server = Server::memcached();
    let store = at(server.address()).max_response_bytes(MEBIBYTE).build().unwrap();
    let (id, record) = (SessionId::generate(), large(MEBIBYTE - 400));
    assert_eq!(store.create(&id, &record, HOUR).await.unwrap(), Creation::Created);
    for _ in 0..20 {
        let touched = store.update(&id, &Changes::new(), Some(HOUR)).await.unwrap();
        assert_eq!(touched, Update::Applied);
        assert_eq!(store.load(&id).await.unwrap().unwrap().record, record);
    }
}
