//! A failover of a cluster under load.

use pycket_testkit::servers::RedisCluster;

use crate::operator::{LIVE, Operator, wait_until, wait_until_cluster_is_ok};
use crate::traffic::{Acknowledged, Phase, check_failover, plain_and_replicated};
use crate::*;

/// Makes the nodes, except the killed one, replace a primary that is silent for so long.
fn replace_after(cluster: &RedisCluster, killed: Option<&Server>, silence: Duration) {
    let killed = killed.map(Server::port);
    for node in cluster.nodes().iter().filter(|node| Some(node.port()) != killed) {
        let command = format!("CONFIG SET cluster-node-timeout {}", silence.as_millis());
        let () = Operator::of(node).run(&command);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_primary_causes_errors_only_until_it_is_replaced() {
    let cluster = Server::redis_cluster_with_replicas(3, 1);
    replace_after(&cluster, None, LIVE);
    let [plain, replicated] = plain_and_replicated(&cluster.url()).await;
    let all = [&plain, &replicated];

    let victim = &cluster.nodes()[0];
    all.iter().for_each(|traffic| traffic.enter(Phase::Disruption));
    replace_after(&cluster, None, Duration::from_millis(1_500));
    victim.kill();
    wait_until_cluster_is_ok(&cluster, Some(victim)).await;
    replace_after(&cluster, Some(victim), LIVE);
    plain.enter(Phase::After);
    plain.succeeds(20).await;

    // The new primary has no replica yet, so writes that wait for one still fail.
    victim.restart();
    wait_until("the old primary follows the new one", || {
        let replication: String = Operator::of(victim).run("INFO replication");
        replication.contains("role:slave") && replication.contains("master_link_status:up")
    })
    .await;
    replicated.enter(Phase::After);
    replicated.succeeds(20).await;

    // Only the killed primary may have acknowledged writes before it replicated them.
    let lost = check_failover(&plain, &replicated).await;
    let mut operator = Operator::of(&cluster.nodes()[1]);
    for Acknowledged { written_to, .. } in &lost {
        assert!(operator.slot(&key(written_to)) <= 16_384 / 3, "{lost:?}");
    }
}
