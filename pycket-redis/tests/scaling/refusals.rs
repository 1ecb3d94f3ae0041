//! Nodes of a cluster that say no. What no real one can be brought to say, `lost_answers.rs` has an impostor say.

use std::cell::RefCell;

use pycket_testkit::RedisCluster;

use crate::operator::{Operator, until};
use crate::*;

use ErrorKind::{Full, Rejected, Unavailable};

fn order_all(cluster: &RedisCluster, command: &str) {
    cluster.nodes().iter().for_each(|node| Operator::of(node).order(command))
}

/// Asks only once, so that a refusal shows.
fn once(cluster: &RedisCluster) -> RedisStore {
    patient(&cluster.url()).deadline(Duration::ZERO).build().unwrap()
}

#[tokio::test]
async fn a_full_node_takes_nothing_and_keeps_what_it_has() {
    let cluster = Server::redis_cluster(3);
    let store = once(&cluster);
    let kept = record([("name", "value")]);
    let id = put(&store, &kept).await;
    order_all(&cluster, "CONFIG SET maxmemory 1");
    let fresh = SessionId::generate();
    assert_eq!(store.create(&fresh, &kept, HOUR).await.unwrap_err().kind(), Full);
    for ttl in [None, Some(HOUR)] {
        let updated = store.update(&id, &set("other", "value"), ttl).await;
        assert_eq!(updated.unwrap_err().kind(), Full);
    }
    assert_eq!(stored(&store, &fresh).await, None);
    assert_eq!(stored(&store, &id).await, Some(kept.clone()));
    assert_eq!(store.delete(&id).await.unwrap(), Some(kept));
    order_all(&cluster, "CONFIG SET maxmemory 0");
    assert_eq!(kinds(&store).await, [None; 4]);
}

#[tokio::test]
async fn a_missing_or_wrong_password_is_rejected_at_once() {
    let cluster = Server::redis_cluster(3);
    order_all(&cluster, "CONFIG SET requirepass sesame");
    for (password, expected) in
        [("", [Some(Rejected); 4]), (":wrong@", [Some(Rejected); 4]), (":sesame@", [None; 4])]
    {
        let url = cluster.url().replace("//", &format!("//{password}"));
        let store = patient(&url).deadline(Duration::MAX).build().unwrap();
        assert_eq!(kinds(&store).await, expected, "{password}");
    }
}

#[tokio::test]
async fn a_missing_permission_is_rejected_at_once() {
    let cluster = Server::redis_cluster(3);
    let store = patient(&cluster.url()).deadline(Duration::MAX).build().unwrap();
    assert_eq!(kinds(&store).await, [None; 4]);
    order_all(&cluster, "ACL SETUSER default -hset");
    let id = SessionId::generate();
    let created = store.create(&id, &record([("name", "value")]), HOUR).await;
    assert_eq!(created.unwrap_err().kind(), Rejected);
    assert_eq!(stored(&store, &id).await, None);
}

#[tokio::test]
async fn a_server_that_is_no_cluster_is_rejected_at_once() {
    let server = Server::redis();
    let url = server.url().replace("redis:", "redis+cluster:");
    let store = patient(&url).deadline(Duration::MAX).build().unwrap();
    assert_eq!(kinds(&store).await, [Some(Rejected); 4]);
}

#[tokio::test]
async fn a_node_that_lacks_replicas_is_asked_again_until_it_has_them() {
    let cluster = Server::redis_cluster(3);
    let store = once(&cluster);
    assert_eq!(kinds(&store).await, [None; 4]);
    order_all(&cluster, "CONFIG SET min-replicas-to-write 1");
    let id = SessionId::generate();
    let (none, hour) = (record([]), HOUR);
    assert_eq!(store.create(&id, &none, hour).await.unwrap_err().kind(), Unavailable);
    let refusals = || -> usize {
        let count = |node| {
            let stats: String = Operator::of(node).order("INFO errorstats");
            let (_, count) = stats.split_once("errorstat_NOREPLICAS:count=")?;
            count.lines().next()?.parse::<usize>().ok()
        };
        cluster.nodes().iter().filter_map(count).sum()
    };
    let before = refusals();
    let store = patient(&cluster.url()).build().unwrap();
    let mend = || order_all(&cluster, "CONFIG SET min-replicas-to-write 0");
    let created = mended(store.create(&id, &none, hour), || refusals() > before + 1, mend).await;
    assert_eq!(created.unwrap(), Creation::Created);
}

#[tokio::test]
async fn a_node_that_takes_no_more_clients_is_asked_again_until_it_does() {
    let cluster = Server::redis_cluster(1);
    let operator = RefCell::new(Operator::of(&cluster.nodes()[0]));
    let order = |clients| operator.borrow_mut().order(&format!("CONFIG SET maxclients {clients}"));
    let () = order(1);
    assert_eq!(kinds(&once(&cluster)).await, [Some(Unavailable); 4]);
    let refusals = || -> usize {
        let stats: String = operator.borrow_mut().order("INFO stats");
        let (_, count) = stats.split_once("rejected_connections:").unwrap();
        count.lines().next().unwrap().parse().unwrap()
    };
    let before = refusals();
    let (store, id) = (patient(&cluster.url()).build().unwrap(), SessionId::generate());
    let read = mended(store.load(&id), || refusals() > before + 1, || order(100)).await;
    assert!(read.unwrap().is_none());
}

/// The answer to a call that is refused until that holds, and what was wrong is mended.
async fn mended<T>(
    call: impl Future<Output = T>,
    is_refused: impl FnMut() -> bool,
    mend: impl FnOnce(),
) -> T {
    let mut call = std::pin::pin!(call);
    tokio::select! {
        _ = &mut call => panic!("it was not refused"),
        () = until("it is refused", is_refused) => {}
    }
    mend();
    call.await
}
