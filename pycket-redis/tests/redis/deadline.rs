//! One server that is absent for a moment. A call that certainly did nothing is tried again until the deadline.

use tokio::time::{Instant, pause};

use crate::stand_in::{Manner, StandIn};
use crate::*;

use ErrorKind::{Ambiguous, Unavailable};

#[tokio::test]
async fn server_that_is_back_within_the_deadline_causes_no_error() {
    let manners = [Manner::Closes, Manner::Closes, Manner::LeadsTo(shared().address())];
    for call in 0..4 {
        let stand_in = StandIn::new(manners.clone()).await;
        let store = RedisStore::builder(&stand_in.url()).deadline(Duration::MAX).build().unwrap();
        let id = SessionId::generate();
        match call {
            0 => assert_eq!(store.load(&id).await.unwrap(), None),
            1 => _ = store.create(&id, &record([]), HOUR).await.unwrap(),
            2 => _ = store.update(&id, &set("name", "value"), Some(HOUR)).await.unwrap(),
            _ => assert_eq!(store.delete(&id).await.unwrap(), None),
        }
        assert_eq!(stand_in.taken(), 3);
    }
}

#[tokio::test]
async fn host_that_leads_to_a_new_primary_within_the_deadline_succeeds() {
    let (old, new) = (Server::redis(), Server::redis());
    let manners = [Manner::LeadsTo(old.address()), Manner::LeadsTo(new.address())];
    let stand_in = StandIn::new(manners).await;
    let store = RedisStore::builder(&stand_in.url()).deadline(Duration::MAX).build().unwrap();
    assert_eq!(kinds(&store).await, [None; 4]);
    let () = run(&mut operator(&old), "REPLICAOF 127.0.0.1 1");
    let id = put(&store, &record([])).await;
    assert_eq!(stored(&self::store(&new), &id).await, Some(record([])));
}

#[tokio::test]
async fn write_whose_connection_breaks_is_not_sent_again() {
    let server = Server::redis();
    let store = RedisStore::builder(&server.url()).deadline(Duration::MAX).build().unwrap();
    let id = put(&store, &record([])).await;
    server.kill();
    let error = store.update(&id, &set("name", "value"), Some(HOUR)).await.unwrap_err();
    assert_eq!(error.kind(), Ambiguous);
}

/// The clock runs ahead when nothing else is left to do, so the waiting takes no time.
#[tokio::test]
async fn call_to_an_absent_server_ends_soon_after_the_deadline() {
    const DEADLINE: Duration = Duration::from_secs(100);
    let server = Server::redis();
    server.kill();
    pause();
    for replicas in [false, true] {
        let mut builder = RedisStore::builder(&server.url()).deadline(DEADLINE);
        if replicas {
            builder = builder.wait_replicas(1, Duration::from_millis(100));
        }
        let store = builder.build().unwrap();
        for _ in 0..2 {
            let start = Instant::now();
            assert_eq!(store.delete(&SessionId::generate()).await.unwrap_err().kind(), Unavailable);
            let attempt = RedisStoreBuilder::DEFAULT_CONNECT_TIMEOUT;
            let limits = DEADLINE - Duration::from_secs(1)..=DEADLINE + attempt;
            assert!(limits.contains(&start.elapsed()), "{:?}", start.elapsed());
        }
    }
}
