//! One attempt to connect serves all who wait for it, and nobody waits longer than the timeout.

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
async fn a_listener_that_never_answers_is_unavailable_after_the_connect_timeout() {
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
async fn nobody_waits_longer_because_others_gave_up() {
    let stand_in = StandIn::new([Manner::Silent]).await;
    let store = impatient(&stand_in);
    let start = Instant::now();
    let hasty: Vec<_> = (1..10)
        .map(|seconds| tokio::spawn(timeout(Duration::from_secs(seconds), load(store.clone()))))
        .collect();
    tokio::task::yield_now().await;
    assert_eq!(load(store).await, Err(ErrorKind::Unavailable));
    assert_eq!(start.elapsed().as_secs(), LIMIT.as_secs());
    for load in hasty {
        assert!(load.await.unwrap().is_err(), "nothing answers, so only its own timeout ends it");
    }
}

#[tokio::test]
async fn when_the_request_that_connects_is_dropped_another_takes_over() {
    let manners = [Manner::Silent, Manner::LeadsTo(shared().address())];
    let stand_in = StandIn::new(manners).await;
    let store = impatient(&stand_in);
    let first = tokio::spawn(load(store.clone()));
    while stand_in.taken() == 0 {
        tokio::task::yield_now().await;
    }
    let second = tokio::spawn(load(store.clone()));
    tokio::task::yield_now().await;
    first.abort();
    assert_eq!(second.await.unwrap(), Ok(()));
    assert_eq!(load(store).await, Ok(()));
    assert_eq!(stand_in.taken(), 2);
}

#[tokio::test]
async fn a_failed_attempt_is_not_remembered() {
    let manners = [Manner::Closes, Manner::Closes, Manner::LeadsTo(shared().address())];
    let stand_in = StandIn::new(manners).await;
    let store = impatient(&stand_in);
    assert_eq!(load(store.clone()).await, Err(ErrorKind::Unavailable));
    assert_eq!(load(store.clone()).await, Err(ErrorKind::Unavailable));
    assert_eq!(load(store).await, Ok(()));
}

#[tokio::test]
async fn no_more_connections_are_made_than_allowed() {
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

/// Something between client and server may forget a connection on which nothing is said.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_idle_connection_is_kept_alive() {
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
