//! Writes that wait until replicas have them, and what is lost where they do not.

use pycket_testkit::RedisSentinel;

use crate::operator::{Operator, until};
use crate::traffic::Phase;
use crate::*;

use ErrorKind::Ambiguous;

#[tokio::test]
async fn a_write_that_no_replica_confirms_is_ambiguous_and_carried_out() {
    let server = Server::redis();
    let plain = patient(&server.url()).build().unwrap();
    let soon = Duration::from_millis(20);
    let store = patient(&server.url()).wait_replicas(1, soon).build().unwrap();
    assert_eq!(kinds(&store).await, [None, Some(Ambiguous), Some(Ambiguous), Some(Ambiguous)]);
    let id = put(&plain, &record([])).await;
    let error = store.update(&id, &set("name", "value"), None).await.unwrap_err();
    assert_eq!(error.kind(), Ambiguous);
    assert_eq!(stored(&plain, &id).await, Some(record([("name", "value")])));
    // Who asks what became of it is not told either; who has no part in it reads on.
    assert_eq!(store.load(&id).await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(stored(&store, &SessionId::generate()).await, None);
}

#[tokio::test]
async fn a_session_does_not_take_what_the_primary_shows_for_safe() {
    let (primary, replica) = (Server::redis(), Server::redis());
    let mut operator = Operator::of(&primary);
    let manager = manager(waiting(&primary.url()).build().unwrap());
    let session = manager.open(None).await.unwrap();
    session.set("name", "value").unwrap();
    let told = operator.until_not_waiting(session.commit()).await;
    assert_eq!(told.unwrap_err().kind(), Ambiguous);

    operator.is_followed_by(&replica).await;
    session.commit().await.unwrap();
    session.set("name", "other").unwrap();
    session.commit().await.unwrap();

    let () = Operator::of(&replica).order("REPLICAOF NO ONE");
    until("the replica is gone", || !operator.has_replica()).await;
    session.set("name", "third").unwrap();
    let told = operator.until_not_waiting(session.commit()).await;
    assert_eq!(told.unwrap_err().kind(), Ambiguous);
}

/// The replicas hold still and are cut off, so that what the primary acknowledges is surely nowhere else
/// when it dies.
#[tokio::test]
async fn what_only_the_primary_has_is_lost_with_it_and_is_never_called_safe() {
    let watched = Server::redis_sentinel();
    let (plain, careful) = (patient(&watched.url()), waiting(&watched.url()));
    let (plain, careful) = (manager(plain.build().unwrap()), careful.build().unwrap());
    let careful = manager(careful);
    let session = plain.open(None).await.unwrap();
    session.set("early", "value").unwrap();
    session.commit().await.unwrap();
    let safe = careful.open(session.id()).await.unwrap();
    safe.set("safe", "value").unwrap();
    safe.commit().await.unwrap();

    cut_off_the_replicas(&watched);
    session.set("late", "value").unwrap();
    session.commit().await.unwrap();
    safe.set("uncertain", "value").unwrap();
    let told = Operator::of(watched.primary()).until_not_waiting(safe.commit()).await;
    assert_eq!(told.unwrap_err().kind(), Ambiguous);

    watched.primary().kill();
    watched.replicas().iter().for_each(Server::resume);
    sentinel::until_replaced(&watched).await;
    let found = plain.open(session.id()).await.unwrap();
    assert_eq!(found.keys(), ["early", "safe"], "acknowledged without waiting, and lost: `late`");
}

/// The same under load, and counted as it is in the other failovers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_lost_with_a_primary_is_counted_and_who_waits_loses_nothing() {
    let watched = Server::redis_sentinel();
    let [plain, careful] = sentinel::plain_and_careful_traffic(&watched).await;
    plain.enter(Phase::Trouble);
    careful.enter(Phase::Trouble);
    cut_off_the_replicas(&watched);
    // Of each visitor's twenty the first may have begun before that, and three may come and go.
    plain.succeeds(20).await;
    let lost = sentinel::end_with_another_primary(&watched, [plain, careful]).await;
    assert!(lost.len() >= 6 * 16, "{}: {lost:?}", lost.len());
}

fn cut_off_the_replicas(watched: &RedisSentinel) {
    watched.replicas().iter().for_each(Server::pause);
    let cut: usize = Operator::of(watched.primary()).order("CLIENT KILL TYPE replica");
    assert_eq!(cut, watched.replicas().len());
}
