//! One connection carries the requests of many tasks, threads and runtimes. None of them waits for another one
//! longer than its own timeout.
//!
//! A call that is polled once is on its way to the connection. The connection sends it when its runtime goes on.

use std::pin::Pin;

use pycket_core::Update;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, pause, resume};

use crate::*;

use ErrorKind::{Ambiguous, Unavailable};

type Call<'a> = Pin<Box<dyn Future<Output = Result<Update, Error>> + 'a>>;

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Two stores that are connected in this runtime. Writes of the second wait for a replica, which does not exist.
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

/// Checks the result of a write to a session that does not exist.
fn assert_carried_out(result: Result<Update, Error>) {
    match result {
        Ok(update) => assert_eq!(update, Update::Ended),
        Err(error) => assert!(shown(&error).contains("replicas"), "{error:?}"),
    }
}

/// How often the server has read from a client. This reads once.
fn reads(operator: &mut redis::Connection) -> usize {
    let stats: redis::InfoDict = run(operator, "INFO stats");
    stats.get("total_reads_processed").unwrap()
}

/// On one thread of a runtime with several: there a task that is woken runs next. Either the driver gathers the
/// requests, or the system does while the server has not confirmed the first one.
#[test]
fn requests_that_are_ready_together_share_one_write() {
    const REQUESTS: usize = 32;
    let server = Server::redis();
    let store = Arc::new(store(&server));
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let load =
        |store: Arc<RedisStore>| async move { stored(&*store, &SessionId::generate()).await };
    runtime.block_on(async { tokio::spawn(load(store.clone())).await.unwrap() });
    let mut operator = operator(&server);
    let before = reads(&mut operator);
    runtime.block_on(async {
        let loads = tokio::spawn(async move {
            let mut loads = JoinSet::new();
            for _ in 0..REQUESTS {
                loads.spawn(load(store.clone()));
            }
            loads.join_all().await
        });
        assert_eq!(loads.await.unwrap(), vec![None; REQUESTS]);
    });
    let reads = reads(&mut operator) - before - 1;
    // The first one, which does not wait for others, and those that are ready when an answer comes.
    assert!(reads <= REQUESTS / 8, "{REQUESTS} requests in {reads} reads");
}

#[tokio::test]
async fn request_on_an_idle_connection_is_sent_at_once() {
    let store = store(shared());
    // Now the server has the script.
    assert_eq!(store.delete(&SessionId::generate()).await.unwrap(), None);
    let id = put(&store, &record([])).await;
    let mut operator = operator(shared());
    let write = begun(store.delete(&id)).await;
    for _ in 0..3 {
        yield_now().await;
    }
    // The runtime stands still from here on.
    let start = std::time::Instant::now();
    while run::<usize>(&mut operator, &format!("EXISTS {}", key(&id))) == 1 {
        assert!(start.elapsed() < Duration::from_secs(60), "the request was not sent");
    }
    assert_eq!(write.await.unwrap(), Some(record([])));
}

#[tokio::test]
async fn dropped_call_takes_no_answer_from_the_others() {
    let store = store(shared());
    let mut ids = Vec::new();
    for name in ["first", "second", "third", "fourth"] {
        ids.push(put(&store, &record([(name, "value")])).await);
    }
    let first = begun(store.delete(&ids[0])).await;
    let second = begun(store.load(&ids[1])).await;
    let third = begun(store.delete(&ids[2])).await;
    let fourth = begun(store.load(&ids[3])).await;
    drop((first, second));
    assert_eq!(third.await.unwrap(), Some(record([("third", "value")])));
    assert_eq!(fourth.await.unwrap().unwrap().record, record([("fourth", "value")]));
}

#[test]
fn call_dropped_before_it_is_sent_is_never_carried_out() {
    let (server, runtime) = (Server::redis(), runtime());
    for store in stores(&server, &runtime) {
        let id = SessionId::generate();
        _ = runtime.block_on(store.create(&id, &record([("name", "first")]), HOUR));
        let other = self::runtime();
        let late = set("name", "late");
        let dropped = other.block_on(begun(store.update(&id, &late, Some(HOUR))));
        drop(dropped);
        // The server answers in order, so the update would be carried out before this is answered.
        _ = runtime.block_on(write(&store));
        let plain = patient(&server).build().unwrap();
        assert_eq!(runtime.block_on(stored(&plain, &id)), Some(record([("name", "first")])));
    }
}

#[test]
fn caller_whose_runtime_ends_or_stands_still_delays_no_other() {
    let (server, runtime) = (Server::redis(), runtime());
    for ends in [true, false] {
        for store in stores(&server, &runtime) {
            let mut other = Some(self::runtime());
            let first = other.as_ref().unwrap().block_on(made(&store));
            let second = runtime.block_on(made(&store));
            if ends {
                other = None;
            }
            assert_carried_out(runtime.block_on(second));
            assert_carried_out(runtime.block_on(first));
            drop(other);
        }
    }
}

#[test]
fn write_is_carried_out_after_the_runtime_of_the_connection_ended() {
    let (server, runtime) = (Server::redis(), runtime());
    let connecting = self::runtime();
    let [plain, waiting] = stores(&server, &connecting);
    drop(connecting);
    assert_carried_out(runtime.block_on(write(&plain)));
    assert_carried_out(runtime.block_on(write(&waiting)));
}

/// The clock runs ahead when nothing else is left to do, so the waiting takes no time.
#[test]
fn call_ends_in_time_when_the_runtime_of_the_connection_does_not_go_on() {
    let (server, runtime) = (Server::redis(), runtime());
    for (ends, reason) in [(true, "broken pipe"), (false, "timed out")] {
        for index in 0..2 {
            let mut connecting = Some(self::runtime());
            let [plain, waiting] = stores(&server, connecting.as_ref().unwrap());
            let store = if index == 0 { plain } else { waiting };
            let call = runtime.block_on(made(&store));
            if ends {
                connecting = None;
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
            // The next call connects in its own runtime.
            assert_carried_out(runtime.block_on(write(&store)));
            drop(connecting);
        }
    }
}

/// If the blocked thread was about to run the connection, no other thread runs it. Which thread that is depends on the
/// scheduler, so the call may also succeed at once.
#[test]
fn blocked_thread_delays_a_call_no_longer_than_the_response_timeout() {
    let server = Server::redis();
    // Long enough for the call after the blocked one on a busy machine.
    let builder = patient(&server).response_timeout(Duration::from_secs(2));
    let store = Arc::new(builder.build().unwrap());
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { put(&*store, &record([])).await });
    let (hand_over, handed_over) = std::sync::mpsc::channel();
    let (go_on, end) = std::sync::mpsc::channel::<()>();
    let blocking = Arc::clone(&store);
    let blocker = runtime.spawn(async move {
        let call = async move { blocking.load(&SessionId::generate()).await };
        hand_over.send(begun(call).await).unwrap();
        end.recv().unwrap();
    });
    let call = handed_over.recv().unwrap();
    runtime.block_on(async move {
        match tokio::spawn(call).await.unwrap() {
            Ok(loaded) => assert_eq!(loaded, None),
            Err(error) => {
                assert_eq!(error.kind(), Unavailable);
                assert!(shown(&error).contains("timed out"), "{error:?}");
            }
        }
        let next = tokio::spawn(async move { store.load(&SessionId::generate()).await });
        assert_eq!(next.await.unwrap().unwrap(), None);
        go_on.send(()).unwrap();
        blocker.await.unwrap();
    });
}
