//! Requests that are sent together, of which one or the other does not get that far.
//!
//! A call that is made and not awaited yet is gathered, and leaves when its runtime goes on.

use std::pin::Pin;

use pycket_core::Update;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, pause, resume};

use crate::*;

use ErrorKind::Ambiguous;

type Call<'a> = Pin<Box<dyn Future<Output = Result<Update, Error>> + 'a>>;

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Connected in that runtime: one that waits for replicas, which are not there, and one that does not.
fn stores(server: &Server, runtime: &Runtime) -> [RedisStore; 2] {
    let plain = patient(server).build().unwrap();
    let waiting = patient(server).wait_replicas(1, Duration::from_millis(1)).build().unwrap();
    runtime.block_on(async {
        put(&plain, &record([])).await;
        _ = kinds(&waiting).await;
    });
    [plain, waiting]
}

async fn write(store: &RedisStore) -> Result<Update, Error> {
    store.update(&SessionId::generate(), &set("name", "value"), Some(HOUR)).await
}

async fn made(store: &RedisStore) -> Call<'_> {
    begun(write(store)).await
}

#[tokio::test]
async fn a_call_that_is_dropped_before_it_is_sent_takes_no_answer_from_the_others() {
    let store = store(shared());
    let mut ids = Vec::new();
    for name in ["first", "second", "third", "fourth"] {
        ids.push(put(&store, &record([(name, "value")])).await);
    }
    let first = begun(store.delete(&ids[0])).await;
    let second = begun(store.load(&ids[1])).await;
    let third = begun(store.delete(&ids[2])).await;
    let fourth = begun(store.load(&ids[3])).await;
    // The one that would have seen to the sending, and one of those that it would have been for.
    drop((first, second));
    assert_eq!(third.await.unwrap(), Some(record([("third", "value")])));
    assert_eq!(fourth.await.unwrap().unwrap().record, record([("fourth", "value")]));
}

#[test]
fn a_runtime_that_ends_before_it_sends_leaves_nobody_of_another_one_waiting() {
    let (server, runtime) = (Server::redis(), runtime());
    for store in stores(&server, &runtime) {
        let other = self::runtime();
        let first = other.block_on(made(&store));
        let second = runtime.block_on(made(&store));
        drop(other);
        for call in [first, second] {
            let error = runtime.block_on(call).unwrap_err();
            assert_eq!(error.kind(), Ambiguous);
            assert!(shown(&error).contains("broken pipe"), "{error:?}");
        }
        assert_eq!(runtime.block_on(store.load(&SessionId::generate())).unwrap(), None);
    }
}

/// The clock runs ahead whenever nothing else is left to do, so the waiting takes no time.
#[test]
fn a_runtime_that_stands_still_before_it_sends_holds_others_up_for_the_response_timeout() {
    let (server, runtime) = (Server::redis(), runtime());
    for store in stores(&server, &runtime) {
        let other = self::runtime();
        let _first = other.block_on(made(&store));
        let second = runtime.block_on(made(&store));
        let error = runtime.block_on(async {
            pause();
            let start = Instant::now();
            let error = second.await.unwrap_err();
            assert!(start.elapsed() <= Duration::from_secs(61));
            resume();
            error
        });
        assert_eq!(error.kind(), Ambiguous);
        assert!(shown(&error).contains("timed out"), "{error:?}");
        assert_eq!(runtime.block_on(store.load(&SessionId::generate())).unwrap(), None);
    }
}
