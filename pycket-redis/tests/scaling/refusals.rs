//! Cluster nodes that refuse requests. `lost_replies.rs` covers the refusals that a real node cannot be made to send.

use std::cell::RefCell;

use pycket_testkit::servers::RedisCluster;

use crate::operator::{Operator, wait_until};
use crate::*;

use ErrorKind::{Full, Rejected, Unavailable};

fn run_on_all(cluster: &RedisCluster, command: &str) {
    cluster.nodes().iter().for_each(|node| Operator::of(node).run(command))
}

/// Without retries, so that a refusal reaches the test.
fn once(cluster: &RedisCluster) -> RedisStore {
    long_timeouts(&cluster.url()).deadline(Duration::ZERO).build().unwrap()
}

#[tokio::test]
async fn full_node_refuses_writes_and_keeps_its_data() {
    let cluster = Server::redis_cluster(3);
    let store = once(&cluster);
    let kept = record([("name", "value")]);
    let id = put(&store, &kept).await;
    run_on_all(&cluster, "CONFIG SET maxmemory 1");
    let fresh = SessionId::generate();
    assert_eq!(store.create(&fresh, &kept, HOUR).await.unwrap_err().kind(), Full);
    for ttl in [None, Some(HOUR)] {
        let updated = store.update(&id, &set("other", "value"), ttl).await;
        assert_eq!(updated.unwrap_err().kind(), Full);
    }
    assert_eq!(stored(&store, &fresh).await, None);
    assert_eq!(stored(&store, &id).await, Some(kept.clone()));
    assert_eq!(store.delete(&id).await.unwrap(), Some(kept));
    run_on_all(&cluster, "CONFIG SET maxmemory 0");
    assert_eq!(kinds(&store).await, [None; 4]);
}

#[tokio::test]
async fn missing_or_wrong_password_is_rejected_without_retries() {
    let cluster = Server::redis_cluster(3);
    run_on_all(&cluster, "CONFIG SET requirepass sesame");
    for (password, expected) in
        [("", [Some(Rejected); 4]), (":wrong@", [Some(Rejected); 4]), (":sesame@", [None; 4])]
    {
        let url = cluster.url().replace("//", &format!("//{password}"));
        let store = long_timeouts(&url).deadline(Duration::MAX).build().unwrap();
        assert_eq!(kinds(&store).await, expected, "{password}");
    }
}

#[tokio::test]
async fn missing_permission_is_rejected_without_retries() {
    let cluster = Server::redis_cluster(3);
    let store = long_timeouts(&cluster.url()).deadline(Duration::MAX).build().unwrap();
    assert_eq!(kinds(&store).await, [None; 4]);
    run_on_all(&cluster, "ACL SETUSER default -hset");
    let id = SessionId::generate();
    let created = store.create(&id, &record([("name", "value")]), HOUR).await;
    assert_eq!(created.unwrap_err().kind(), Rejected);
    assert_eq!(stored(&store, &id).await, None);
}

#[tokio::test]
async fn cluster_url_of_a_single_server_is_rejected_without_retries() {
    let server = Server::redis();
    let url = server.url().replace("redis:", "redis+cluster:");
    let store = long_timeouts(&url).deadline(Duration::MAX).build().unwrap();
    assert_eq!(kinds(&store).await, [Some(Rejected); 4]);
}

#[tokio::test]
async fn write_to_a_node_that_lacks_replicas_is_retried_until_it_works() {
    let cluster = Server::redis_cluster(3);
    let store = once(&cluster);
    assert_eq!(kinds(&store).await, [None; 4]);
    run_on_all(&cluster, "CONFIG SET min-replicas-to-write 1");
    let id = SessionId::generate();
    let (none, hour) = (record([]), HOUR);
    assert_eq!(store.create(&id, &none, hour).await.unwrap_err().kind(), Unavailable);
    let refusals = || -> usize {
        let count = |node| {
            let stats: String = Operator::of(node).run("INFO errorstats");
            let (_, count) = stats.split_once("errorstat_NOREPLICAS:count=")?;
            count.lines().next()?.parse::<usize>().ok()
        };
        cluster.nodes().iter().filter_map(count).sum()
    };
    let before = refusals();
    let store = long_timeouts(&cluster.url()).build().unwrap();
    let fix = || run_on_all(&cluster, "CONFIG SET min-replicas-to-write 0");
    let created =
        retried_until_fixed(store.create(&id, &none, hour), || refusals() > before + 1, fix).await;
    assert_eq!(created.unwrap(), Creation::Created);
}

#[tokio::test]
async fn connection_refused_by_maxclients_is_retried_until_it_works() {
    let cluster = Server::redis_cluster(1);
    let operator = RefCell::new(Operator::of(&cluster.nodes()[0]));
    let set_maxclients =
        |clients| operator.borrow_mut().run(&format!("CONFIG SET maxclients {clients}"));
    let () = set_maxclients(1);
    assert_eq!(kinds(&once(&cluster)).await, [Some(Unavailable); 4]);
    let refusals = || -> usize {
        let stats: String = operator.borrow_mut().run("INFO stats");
        let (_, count) = stats.split_once("rejected_connections:").unwrap();
        count.lines().next().unwrap().parse().unwrap()
    };
    let before = refusals();
    let (store, id) = (long_timeouts(&cluster.url()).build().unwrap(), SessionId::generate());
    let read =
        retried_until_fixed(store.load(&id), || refusals() > before + 1, || set_maxclients(100))
            .await;
    assert!(read.unwrap().is_none());
}

/// Runs `call` until it was refused, then runs `fix` and returns the result of `call`.
async fn retried_until_fixed<T>(
    call: impl Future<Output = T>,
    is_refused: impl FnMut() -> bool,
    fix: impl FnOnce(),
) -> T {
    let mut call = std::pin::pin!(call);
    tokio::select! {
        _ = &mut call => panic!("the call was not refused"),
        () = wait_until("the call is refused", is_refused) => {}
    }
    fix();
    call.await
}
