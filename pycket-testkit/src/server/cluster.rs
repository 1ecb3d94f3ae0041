use std::path::Path;

use super::redis::{VOLATILE, arguments};
use super::talk::await_that;
use super::{Kind, Server, port};

/// How long a node may be silent before the others call it dead. The default of fifteen seconds is for
/// networks; this one is a loopback interface.
const NODE_TIMEOUT_MS: &str = "1500";

const SLOTS: usize = 16_384;

static NODE: Kind = Kind { arguments: node, ..VOLATILE };

/// A Redis Cluster: nodes that know each other, and share the sessions by the slots of their keys.
///
/// Every node is a [`Server`] of its own, so it can be killed, paused and restarted alone; they all end
/// with this value or with the test process.
///
/// ```no_run
/// use pycket_testkit::Server;
///
/// let cluster = Server::redis_cluster(3);
/// println!("{}", cluster.url());
/// cluster.nodes()[0].pause();
/// ```
///
/// # Panics
///
/// As every method of [`Server`].
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Server>,
    primaries: usize,
    replicas_each: usize,
}

impl Server {
    /// A Redis Cluster of this many primaries, each with the same number of slots, and no replicas. It
    /// takes at least three for a cluster that can decide anything when one is gone.
    ///
    /// # Panics
    ///
    /// Like [`redis`](Self::redis).
    pub fn redis_cluster(primaries: usize) -> RedisCluster {
        Self::redis_cluster_with_replicas(primaries, 0)
    }

    /// A Redis Cluster of this many primaries with so many replicas each. A node that is silent for a
    /// second and a half is replaced by one of its replicas.
    ///
    /// # Panics
    ///
    /// Like [`redis`](Self::redis).
    pub fn redis_cluster_with_replicas(primaries: usize, replicas_each: usize) -> RedisCluster {
        let count = primaries * (1 + replicas_each);
        let nodes = (0..count).map(|_| Self::launch_on(&NODE, port::free_with_bus)).collect();
        let cluster = RedisCluster { nodes, primaries, replicas_each };
        cluster.join();
        cluster
    }
}

impl RedisCluster {
    /// All nodes as one URL, such as `redis+cluster://127.0.0.1:14321,127.0.0.1:14322`.
    pub fn url(&self) -> String {
        let nodes: Vec<_> = self.nodes.iter().map(|node| node.address().to_string()).collect();
        format!("redis+cluster://{}", nodes.join(","))
    }

    /// All nodes: first those that were primaries in the beginning, then their replicas.
    pub fn nodes(&self) -> &[Server] {
        &self.nodes
    }

    /// Those that were primaries in the beginning, each with its replicas.
    pub fn shards(&self) -> impl Iterator<Item = (&Server, &[Server])> {
        let (primaries, replicas) = self.nodes.split_at(self.primaries);
        primaries.iter().enumerate().map(|(index, primary)| {
            let first = index * self.replicas_each;
            (primary, &replicas[first..first + self.replicas_each])
        })
    }

    fn join(&self) {
        let first = &self.nodes[0];
        for (index, node) in self.nodes.iter().enumerate() {
            node.order(&["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()]);
            if index > 0 {
                node.order(&["CLUSTER", "MEET", "127.0.0.1", &first.port().to_string()]);
            }
        }
        for (index, (primary, _)) in self.shards().enumerate() {
            let slots = index * SLOTS / self.primaries..(index + 1) * SLOTS / self.primaries;
            let slots: Vec<_> = slots.map(|slot| slot.to_string()).collect();
            let words: Vec<_> = ["CLUSTER", "ADDSLOTS"]
                .into_iter()
                .chain(slots.iter().map(String::as_str))
                .collect();
            primary.order(&words);
        }
        for (primary, replicas) in self.shards() {
            let id = primary.order(&["CLUSTER", "MYID"]);
            for replica in replicas {
                await_that("a replica knows its primary", || {
                    replica.say(&["CLUSTER", "REPLICATE", &id]).is_ok()
                });
            }
        }
        await_that("the nodes have become a cluster", || self.is_whole());
    }

    /// Whether every node agrees on who is there and what it is.
    fn is_whole(&self) -> bool {
        let count = |nodes: &str, role| nodes.lines().filter(|line| line.contains(role)).count();
        self.nodes.iter().all(|node| {
            let state = node.order(&["CLUSTER", "INFO"]);
            let nodes = node.order(&["CLUSTER", "NODES"]);
            let replication = node.order(&["INFO", "replication"]);
            state.contains("cluster_state:ok")
                && state.contains("cluster_slots_ok:16384")
                && nodes.lines().count() == self.nodes.len()
                && count(&nodes, "master - ") == self.primaries
                && count(&nodes, " connected") == self.nodes.len()
                && !replication.contains("master_link_status:down")
                && (replication.contains("role:slave")
                    || replication.contains(&format!("connected_slaves:{}", self.replicas_each)))
        })
    }
}

fn node(port: u16, directory: &Path) -> Vec<std::ffi::OsString> {
    let more = [
        ["--appendonly", "no"],
        ["--cluster-enabled", "yes"],
        ["--cluster-node-timeout", NODE_TIMEOUT_MS],
        // A replica need not wait for others that might want the same data.
        ["--repl-diskless-sync-delay", "0"],
    ];
    arguments(port, directory, more.as_flattened())
}
