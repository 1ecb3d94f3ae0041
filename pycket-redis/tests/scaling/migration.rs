//! Migrating slots from one primary to another.

use std::ops::RangeInclusive;

use pycket_testkit::servers::RedisCluster;

use crate::operator::Operator;
use crate::traffic::{Phase, Traffic};
use crate::*;

/// Migrates slots in the same steps as `redis-cli --cluster reshard`.
pub(crate) struct SlotMigration {
    from: Operator,
    to: Operator,
    from_id: String,
    to_id: String,
    to_port: u16,
}

impl SlotMigration {
    pub(crate) fn new(cluster: &RedisCluster, from: usize, to: usize) -> Self {
        let (mut from, to_node) = (Operator::of(&cluster.nodes()[from]), &cluster.nodes()[to]);
        let mut to = Operator::of(to_node);
        let (from_id, to_id) = (from.run("CLUSTER MYID"), to.run("CLUSTER MYID"));
        Self { from, to, from_id, to_id, to_port: to_node.port() }
    }

    pub(crate) fn begin(&mut self, slot: u16) {
        let () = self.to.run(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", self.from_id));
        let () = self.from.run(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", self.to_id));
    }

    pub(crate) fn move_keys(&mut self, slot: u16) {
        loop {
            let keys: Vec<String> = self.from.run(&format!("CLUSTER GETKEYSINSLOT {slot} 100"));
            if keys.is_empty() {
                return;
            }
            for key in keys {
                let port = self.to_port;
                let _: String = self.from.run(&format!("MIGRATE 127.0.0.1 {port} {key} 0 60000"));
            }
        }
    }

    pub(crate) fn finish(&mut self, slot: u16) {
        for operator in [&mut self.to, &mut self.from] {
            let () = operator.run(&format!("CLUSTER SETSLOT {slot} NODE {}", self.to_id));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moving_slots_under_load_causes_no_error_and_loses_no_session() {
    const RANGE: RangeInclusive<u16> = 0..=2999;
    let cluster = Arc::new(Server::redis_cluster_with_replicas(3, 1));
    let traffic = Traffic::begin(RedisStore::builder(&cluster.url()).build().unwrap());
    traffic.succeeds(20).await;
    traffic.enter(Phase::Disruption);
    let migration = {
        let cluster = cluster.clone();
        tokio::task::spawn_blocking(move || {
            let mut migration = SlotMigration::new(&cluster, 0, 1);
            for slot in RANGE {
                migration.begin(slot);
                migration.move_keys(slot);
                migration.finish(slot);
            }
        })
    };
    migration.await.unwrap();
    traffic.succeeds(20).await;
    traffic.enter(Phase::After);
    traffic.succeeds(20).await;

    let (lost, errors) = traffic.end().await;
    eprintln!("{}, {} errors", traffic.summary(), errors.len());
    assert!(errors.is_empty(), "{errors:?}");
    assert!(lost.is_empty(), "{lost:?}");
    let errors: String = Operator::of(&cluster.nodes()[0]).run("INFO errorstats");
    assert!(errors.contains("errorstat_MOVED"), "no request was redirected: {errors}");
}
