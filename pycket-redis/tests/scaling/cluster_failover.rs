//! A primary of a cluster is killed under load.

use crate::operator::{Operator, until, until_whole};
use crate::traffic::{Phase, Promise, Traffic, end_of_failover};
use crate::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_primary_costs_errors_while_it_is_replaced_and_nothing_else() {
    let cluster = Server::redis_cluster_with_replicas(3, 1);
    let plain = Traffic::begin(RedisStore::builder(&cluster.url()).build().unwrap());
    let careful = RedisStore::builder(&cluster.url())
        .max_connections(4)
        .wait_replicas(1, Duration::from_millis(900));
    let careful = Traffic::begin(careful.build().unwrap());
    let all = [&plain, &careful];
    for traffic in all {
        traffic.succeeds(20).await;
    }

    let victim = &cluster.nodes()[0];
    all.iter().for_each(|traffic| traffic.enter(Phase::Trouble));
    victim.kill();
    until_whole(&cluster, Some(victim)).await;
    plain.enter(Phase::After);
    plain.succeeds(20).await;

    // The new primary has no replica, so who waits for one still waits for it.
    victim.restart();
    until("the old primary follows the new one", || {
        let replication: String = Operator::of(victim).order("INFO replication");
        replication.contains("role:slave") && replication.contains("master_link_status:up")
    })
    .await;
    careful.enter(Phase::After);
    careful.succeeds(20).await;

    // What the engine loses was acknowledged by the primary that died, before it could pass it on.
    let lost = end_of_failover(&plain, &careful).await;
    let mut operator = Operator::of(&cluster.nodes()[1]);
    for Promise { stored, .. } in &lost {
        assert!(operator.slot(&key(stored)) <= 16_384 / 3, "{lost:?}");
    }
}
