//! All requests share one attempt to connect, and none waits longer than the timeout.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::{Instant, timeout};

use crate::stand_in::{Manner, StandIn};
use crate::*;

const LIMIT: Duration = Duration::from_secs(10);

fn impatient(stand_in: &StandIn) -> Arc<RedisStore> {
    let builder = once(&stand_in.url()).connect_timeout(LIMIT);
    Arc::new(builder.response_timeout(Duration::MAX).build().unwrap())
}

async fn load(store: Arc<RedisStore>) -> Result<(), ErrorKind> {
    let answer = store.load(&SessionId::generate()).await;
    answer.map(|loaded| assert_eq!(loaded, None)).map_err(|error| error.kind())
}

#[tokio::test(start_paused = true)]
async fn silent_listener_is_unavailable_after_the_connect_timeout() {
    let stand_in = StandIn::new([Manner::Silent]).await;
    let store = impatient(&stand_in);
    let start = Instant::now();
    assert_eq!(kinds(&*store).await, [Some(ErrorKind::Unavailable); 4]);
    assert_eq!(start.elapsed().as_secs(), 4 * LIMIT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn concurrent_requests_share_one_attempt_and_its_failure() {
    let stand_in = StandIn::new([Manner::Silent]).await;
    let store = impatient(&stand_in);
    let start = Instant::now();
    let loads: Vec<_> = (0..64).map(|_| tokio::spawn(load(store.clone()))).collect();
    for load in loads {
        assert_eq!(load.await.unwrap(), Err(ErrorKind::Unavailable));
    }
    assert_eq!(stand_in.taken(), 1);
    assert_eq!(start.elapsed().as_secs(), LIMIT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn dropped_callers_do_not_make_another_wait_longer() {
    let stand_in = StandIn::new([Manner::Silent]).await;
    let store = impatient(&stand_in);
    let start = Instant::now();
    let dropped: Vec<_> = (1..10)
        .map(|seconds| tokio::spawn(timeout(Duration::from_secs(seconds), load(store.clone()))))
        .collect();
    tokio::task::yield_now().await;
    assert_eq!(load(store).await, Err(ErrorKind::Unavailable));
    assert_eq!(start.elapsed().as_secs(), LIMIT.as_secs());
    for load in dropped {
        assert!(load.await.unwrap().is_err(), "nothing answers, so only its own timeout ends it");
    }
}

#[tokio::test]
async fn dropped_caller_leaves_its_attempt_to_the_others() {
    let opens = Arc::new(AtomicBool::new(false));
    let manner = Manner::LeadsToOnce(opens.clone(), shared().address());
    let stand_in = StandIn::new([manner]).await;
    let store = impatient(&stand_in);
    let first = tokio::spawn(load(store.clone()));
    while stand_in.taken() == 0 {
        tokio::task::yield_now().await;
    }
    let second = tokio::spawn(load(store.clone()));
    tokio::task::yield_now().await;
    first.abort();
    opens.store(true, Ordering::SeqCst);
    assert_eq!(second.await.unwrap(), Ok(()));
    assert_eq!(stand_in.taken(), 1);
}

/// The three ways to find a server: directly, through a cluster, through sentinels.
fn routes(address: &str) -> [String; 3] {
    ["redis://", "redis+cluster://", "redis+sentinel://"].map(|scheme| format!("{scheme}{address}"))
}

#[tokio::test(start_paused = true)]
async fn caller_not_polled_while_connecting_hangs_does_not_delay_another() {
    let stand_in = StandIn::new([Manner::Silent]).await;
    for url in routes(stand_in.url().trim_start_matches("redis://")) {
        let builder = once(&url).connect_timeout(LIMIT).response_timeout(Duration::MAX);
        let store = Arc::new(builder.build().unwrap());
        let start = Instant::now();
        let _not_polled = begun(load(store.clone())).await;
        assert_eq!(load(store.clone()).await, Err(ErrorKind::Unavailable), "{url}");
        assert_eq!(start.elapsed().as_secs(), LIMIT.as_secs(), "{url}");
        // The next attempt is a new one.
        let taken = stand_in.taken();
        assert_eq!(load(store).await, Err(ErrorKind::Unavailable), "{url}");
        assert_eq!(stand_in.taken(), taken + 1, "{url}");
    }
}

async fn assert_not_delayed(builder: RedisStoreBuilder) {
    const LONG: Duration = Duration::from_secs(60);
    let builder = builder.connect_timeout(LONG).response_timeout(LONG).deadline(LONG);
    let store = Arc::new(builder.build().unwrap());
    let not_polled = begun(load(store.clone())).await;
    assert_eq!(load(store).await, Ok(()));
    assert_eq!(not_polled.await, Ok(()));
}

#[tokio::test]
async fn caller_not_polled_while_connecting_delays_no_other() {
    let stand_in = StandIn::new([Manner::LeadsTo(shared().address())]).await;
    assert_not_delayed(RedisStore::builder(&stand_in.url())).await;
}

#[tokio::test]
async fn caller_not_polled_while_slots_are_refreshed_delays_no_other() {
    let cluster = Server::redis_cluster(3);
    assert_not_delayed(RedisStore::builder(&cluster.url())).await;
}

#[tokio::test]
async fn caller_not_polled_while_sentinels_are_asked_delays_no_other() {
    let watched = Server::redis_sentinel();
    assert_not_delayed(RedisStore::builder(&watched.url())).await;
}

#[tokio::test]
async fn failed_attempt_is_not_remembered() {
    let manners = [Manner::Closes, Manner::Closes, Manner::LeadsTo(shared().address())];
    let stand_in = StandIn::new(manners).await;
    let store = impatient(&stand_in);
    assert_eq!(load(store.clone()).await, Err(ErrorKind::Unavailable));
    assert_eq!(load(store.clone()).await, Err(ErrorKind::Unavailable));
    assert_eq!(load(store).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn attempt_that_failed_when_no_caller_was_left_is_not_remembered() {
    let stand_in = StandIn::new([Manner::Silent]).await;
    let store = impatient(&stand_in);
    drop(begun(load(store.clone())).await);
    tokio::time::sleep(2 * LIMIT).await;
    let start = Instant::now();
    assert_eq!(load(store).await, Err(ErrorKind::Unavailable));
    assert_eq!(start.elapsed().as_secs(), LIMIT.as_secs());
    assert_eq!(stand_in.taken(), 2);
}

/// The end of a runtime makes its attempts fail, too.
#[test]
fn call_connects_again_if_the_attempt_of_another_runtime_fails() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (own, other) = (runtime(), runtime());
    let manners = [Manner::Closes, Manner::LeadsTo(shared().address())];
    let stand_in = own.block_on(StandIn::new(manners));
    let store = impatient(&stand_in);
    // The attempt belongs to the other runtime, which goes on only when both calls wait for it.
    let first = other.block_on(begun(load(store.clone())));
    let second = own.block_on(begun(load(store)));
    let first = std::thread::spawn(move || other.block_on(first));
    assert_eq!(own.block_on(second), Ok(()));
    assert_eq!(first.join().unwrap(), Err(ErrorKind::Unavailable));
}

#[tokio::test]
async fn pool_opens_no_more_connections_than_allowed() {
    for allowed in [1, 3] {
        let stand_in = StandIn::new([Manner::LeadsTo(shared().address())]).await;
        let builder = once(&stand_in.url()).max_connections(allowed);
        let store = Arc::new(builder.connect_timeout(Duration::MAX).build().unwrap());
        let loads: Vec<_> = (0..64).map(|_| tokio::spawn(load(store.clone()))).collect();
        for load in loads {
            assert_eq!(load.await.unwrap(), Ok(()));
        }
        assert_eq!(stand_in.taken(), allowed);
    }
}

/// A firewall may drop a connection that is silent for long.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn idle_connection_uses_tcp_keepalive() {
    let server = Server::redis();
    let store = store(&server);
    assert_eq!(stored(&store, &SessionId::generate()).await, None);
    let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let peer = format!(":{:04X}", server.port());
    let timers: Vec<_> = sockets
        .lines()
        .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>())
        .filter(|columns| columns[2].ends_with(&peer) && columns[3] == "01")
        .map(|columns| columns[5].to_owned())
        .collect();
    assert!(!timers.is_empty(), "{sockets}");
    assert!(timers.iter().all(|timer| timer.starts_with("02:")), "{timers:?}");
}
