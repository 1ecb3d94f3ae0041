//! Writes that wait for replicas, and what a failover loses without that.

use pycket_testkit::servers::RedisSentinel;

use crate::operator::{Operator, wait_until};
use crate::traffic::{Phase, plain_and_replicated};
use crate::*;

use ErrorKind::Ambiguous;

#[tokio::test]
async fn write_that_no_replica_confirms_is_ambiguous_and_applied() {
    let server = Server::redis();
    let plain = long_timeouts(&server.url()).build().unwrap();
    let soon = Duration::from_millis(20);
    let store = long_timeouts(&server.url()).wait_replicas(1, soon).build().unwrap();
    assert_eq!(kinds(&store).await, [None, Some(Ambiguous), Some(Ambiguous), Some(Ambiguous)]);
    let id = put(&plain, &record([])).await;
    let error = store.update(&id, &set("name", "value"), None).await.unwrap_err();
    assert_eq!(error.kind(), Ambiguous);
    assert!(error.to_string().contains("did not confirm the write"), "{error}");
    assert_eq!(stored(&plain, &id).await, Some(record([("name", "value")])));
    let other = put(&plain, &record([])).await;
    let error = store.update(&other, &set("name", "value"), None).await.unwrap_err();
    assert_eq!(error.kind(), Ambiguous);
    // Reading those sessions fails until the writes are known to be safe. Other sessions are readable.
    for id in [id, other] {
        let error = store.load(&id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("is not available"), "{error}");
    }
    assert_eq!(stored(&store, &SessionId::generate()).await, None);
}

#[tokio::test]
async fn load_after_a_confirmed_write_waits_for_no_replica() {
    let (primary, replica) = (Server::redis(), Server::redis());
    let mut operator = Operator::of(&primary);
    let soon = Duration::from_millis(20);
    let store = long_timeouts(&primary.url()).wait_replicas(1, soon).build().unwrap();
    let id = put(&long_timeouts(&primary.url()).build().unwrap(), &record([])).await;
    let error = store.update(&id, &set("name", "value"), None).await.unwrap_err();
    assert_eq!(error.kind(), Ambiguous);

    operator.add_replica(&replica).await;
    while store.update(&id, &set("name", "value"), None).await.is_err() {}
    let () = Operator::of(&replica).run("REPLICAOF NO ONE");
    wait_until("the replica is disconnected", || !operator.has_replica()).await;
    assert_eq!(stored(&store, &id).await, Some(record([("name", "value")])));
}

#[tokio::test]
async fn session_with_wait_replicas_does_not_trust_the_primary_alone() {
    let (primary, replica) = (Server::redis(), Server::redis());
    let mut operator = Operator::of(&primary);
    let manager = manager(replicated(&primary.url()).build().unwrap());
    let session = manager.open(None).await.unwrap();
    session.set("name", "value").unwrap();
    let result = operator.time_out_waits_during(session.commit()).await;
    assert_eq!(result.unwrap_err().kind(), Ambiguous);

    operator.add_replica(&replica).await;
    session.commit().await.unwrap();
    session.set("name", "other").unwrap();
    session.commit().await.unwrap();

    let () = Operator::of(&replica).run("REPLICAOF NO ONE");
    wait_until("the replica is disconnected", || !operator.has_replica()).await;
    session.set("name", "third").unwrap();
    let result = operator.time_out_waits_during(session.commit()).await;
    assert_eq!(result.unwrap_err().kind(), Ambiguous);
}

/// The replicas are paused and disconnected, so that only the primary has the write when it is killed.
#[tokio::test]
async fn unreplicated_write_is_lost_and_was_never_confirmed_as_replicated() {
    let watched = Server::redis_sentinel();
    let (plain, replicated) = (long_timeouts(&watched.url()), replicated(&watched.url()));
    let (plain, replicated) = (manager(plain.build().unwrap()), replicated.build().unwrap());
    let replicated = manager(replicated);
    let session = plain.open(None).await.unwrap();
    session.set("early", "value").unwrap();
    session.commit().await.unwrap();
    let safe = replicated.open(session.id()).await.unwrap();
    safe.set("safe", "value").unwrap();
    safe.commit().await.unwrap();

    disconnect_replicas(&watched);
    session.set("late", "value").unwrap();
    session.commit().await.unwrap();
    safe.set("uncertain", "value").unwrap();
    let result = Operator::of(watched.primary()).time_out_waits_during(safe.commit()).await;
    assert_eq!(result.unwrap_err().kind(), Ambiguous);

    watched.primary().kill();
    watched.replicas().iter().for_each(Server::resume);
    sentinel::wait_until_replaced(&watched).await;
    let found = plain.open(session.id()).await.unwrap();
    assert_eq!(
        found.keys(),
        ["early", "safe"],
        "`late` was acknowledged without waiting and is lost"
    );
}

/// The same under load. The lost writes are counted as in the other failover tests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failover_loses_only_writes_that_did_not_wait_for_replicas() {
    let watched = sentinel::patient_sentinels();
    let [plain, replicated] = plain_and_replicated(&watched.url()).await;
    plain.enter(Phase::Disruption);
    replicated.enter(Phase::Disruption);
    disconnect_replicas(&watched);
    // Of the 20 calls of each client, the first may have started earlier, and three create and destroy a session.
    plain.succeeds(20).await;
    let lost = sentinel::end_after_failover(&watched, [plain, replicated]).await;
    assert!(lost.len() >= 6 * 16, "{}: {lost:?}", lost.len());
}

fn disconnect_replicas(watched: &RedisSentinel) {
    watched.replicas().iter().for_each(Server::pause);
    let cut: usize = Operator::of(watched.primary()).run("CLIENT KILL TYPE replica");
    assert_eq!(cut, watched.replicas().len());
}
