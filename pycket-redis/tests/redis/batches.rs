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
fn what_was_given_up_before_it_was_sent_is_never_done() {
    let (server, runtime) = (Server::redis(), runtime());
    for store in stores(&server, &runtime) {
        let id = SessionId::generate();
        _ = runtime.block_on(store.create(&id, &record([("name", "first")]), HOUR));
        let other = self::runtime();
        let late = set("name", "late");
        let given_up = other.block_on(begun(store.update(&id, &late, Some(HOUR))));
        drop(given_up);
        // Now it does what it had to do. What it may have sent is done when the answer to another is here.
        other.block_on(async {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        });
        _ = runtime.block_on(store.load(&SessionId::generate()));
        let plain = patient(&server).build().unwrap();
        assert_eq!(runtime.block_on(stored(&plain, &id)), Some(record([("name", "first")])));
    }
}

#[test]
fn a_runtime_that_ends_or_stands_still_before_it_sends_holds_up_nobody_of_another_one() {
    let (server, runtime) = (Server::redis(), runtime());
    for ends in [true, false] {
        let [store, _] = stores(&server, &runtime);
        let mut other = Some(self::runtime());
        let first = other.as_ref().unwrap().block_on(made(&store));
        let second = runtime.block_on(made(&store));
        let calls = if ends {
            other = None;
            vec![second]
        } else {
            vec![first, second]
        };
        for call in calls {
            assert_eq!(runtime.block_on(call).unwrap(), Update::Ended);
        }
        drop(other);
    }
}

/// It is told at the latest when the response timeout has passed. The clock runs ahead whenever nothing else is
/// left to do, so the waiting takes no time.
#[test]
fn whoever_relies_on_a_runtime_that_ends_or_stands_still_is_told() {
    let (server, runtime) = (Server::redis(), runtime());
    for (ends, reason) in [(true, "broken pipe"), (false, "timed out")] {
        for store in stores(&server, &runtime) {
            let mut other = Some(self::runtime());
            let call = other.as_ref().unwrap().block_on(made(&store));
            if ends {
                other = None;
            }
            let error = runtime.block_on(async {
                pause();
                let start = Instant::now();
                let error = call.await.unwrap_err();
                assert!(start.elapsed() <= Duration::from_secs(61));
                resume();
                error
            });
            assert_eq!(error.kind(), Ambiguous);
            assert!(shown(&error).contains(reason), "{error:?}");
            drop(other);
            assert_eq!(runtime.block_on(store.load(&SessionId::generate())).unwrap(), None);
        }
    }
}

#[test]
fn a_blocked_thread_holds_up_no_request_of_another_one() {
    let server = Server::redis();
    let store = Arc::new(patient(&server).build().unwrap());
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { put(&*store, &record([])).await });
    let (is_blocked, blocked) = std::sync::mpsc::channel();
    let (go_on, end) = std::sync::mpsc::channel::<()>();
    let blocking = Arc::clone(&store);
    let blocker = runtime.spawn(async move {
        let id = SessionId::generate();
        let begun = begun(blocking.load(&id)).await;
        is_blocked.send(()).unwrap();
        end.recv().unwrap();
        begun.await.unwrap()
    });
    blocked.recv().unwrap();
    runtime.block_on(async move {
        let other = tokio::spawn(async move { store.load(&SessionId::generate()).await });
        assert_eq!(other.await.unwrap().unwrap(), None);
        go_on.send(()).unwrap();
        assert_eq!(blocker.await.unwrap(), None);
    });
}

/// What a blocked thread was to send is not sent by others; somebody else has an eye on it.
#[test]
fn a_call_that_a_blocked_thread_was_to_send_ends_with_the_response_timeout() {
    let server = Server::redis();
    let builder = patient(&server).response_timeout(Duration::from_millis(100));
    let store = Arc::new(builder.build().unwrap());
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { put(&*store, &record([])).await });
    let (hand_over, handed_over) = std::sync::mpsc::channel();
    let (go_on, end) = std::sync::mpsc::channel::<()>();
    let blocker = runtime.spawn(async move {
        let call = async move { store.load(&SessionId::generate()).await };
        hand_over.send(begun(call).await).unwrap();
        end.recv().unwrap();
    });
    let call = handed_over.recv().unwrap();
    runtime.block_on(async move {
        let error = tokio::spawn(call).await.unwrap().unwrap_err();
        go_on.send(()).unwrap();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(shown(&error).contains("timed out"), "{error:?}");
        blocker.await.unwrap();
    });
}
