use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use super::port;
use super::redis::{VOLATILE, arguments};
use super::send::wait_until;
use super::server::{Kind, Server, addresses};

/// How long a node may be silent before the others count it as failed. The default of fifteen seconds is
/// for real networks.
const NODE_TIMEOUT_MS: &str = "1500";

/// Longer than the node timeout.
const MEET_AGAIN: Duration = Duration::from_secs(3);

const SLOTS: usize = 16_384;

static NODE: Kind = Kind { arguments: node, ..VOLATILE };

/// A Redis Cluster. Every node is a [`Server`] that can be killed, paused and restarted alone.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Server>,
    primaries: usize,
    replicas_each: usize,
}

impl Server {
    /// A Redis Cluster of so many primaries without replicas. The slots are shared equally. With fewer than
    /// three primaries the others cannot decide that one has failed.
    pub fn redis_cluster(primaries: usize) -> RedisCluster {
        Self::redis_cluster_with_replicas(primaries, 0)
    }

    /// A Redis Cluster of so many primaries with so many replicas each. When a primary is silent for a
    /// second and a half, one of its replicas takes over.
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
        format!("redis+cluster://{}", addresses(&self.nodes))
    }

    /// All nodes: first those that started as primaries, then their replicas.
    pub fn nodes(&self) -> &[Server] {
        &self.nodes
    }

    /// The nodes that started as primaries, each with its replicas.
    pub fn shards(&self) -> impl Iterator<Item = (&Server, &[Server])> {
        let (primaries, replicas) = self.nodes.split_at(self.primaries);
        primaries.iter().enumerate().map(|(index, primary)| {
            let first = index * self.replicas_each;
            (primary, &replicas[first..first + self.replicas_each])
        })
    }

    fn join(&self) {
        for (epoch, node) in (1..).zip(&self.nodes) {
            node.send(&format!("CLUSTER SET-CONFIG-EPOCH {epoch}"));
        }
        self.meet();
        for (index, (primary, _)) in self.shards().enumerate() {
            let [start, end] = [index, index + 1].map(|index| index * SLOTS / self.primaries);
            // `ADDSLOTSRANGE` is shorter, but needs Redis 7. One line has at most 64 KiB.
            let slots: Vec<_> = (start..end).map(|slot| slot.to_string()).collect();
            for slots in slots.chunks(SLOTS / 4) {
                primary.send(&format!("CLUSTER ADDSLOTS {}", slots.join(" ")));
            }
        }
        for (primary, replicas) in self.shards() {
            let id = primary.send("CLUSTER MYID");
            let id = id.lines().nth(1).expect("a bulk string has two lines");
            for replica in replicas {
                self.meet_until("a replica knows its primary", || {
                    replica.try_send(&format!("CLUSTER REPLICATE {id}")).is_ok()
                });
            }
        }
        self.meet_until("all nodes form one cluster", || self.is_complete());
    }

    /// Introduces the nodes to each other.
    fn meet(&self) {
        let first = self.nodes[0].port();
        for node in &self.nodes[1..] {
            node.send(&format!("CLUSTER MEET 127.0.0.1 {first}"));
        }
    }

    /// Waits until the condition holds. Introduces the nodes again from time to time: on a busy machine a
    /// handshake may take longer than the node timeout, and then the nodes forget it.
    fn meet_until(&self, condition: &str, mut holds: impl FnMut() -> bool) {
        let mut met = Instant::now();
        wait_until(condition, || {
            if met.elapsed() > MEET_AGAIN {
                self.meet();
                met = Instant::now();
            }
            holds()
        });
    }

    /// Whether every node sees all nodes in their roles.
    fn is_complete(&self) -> bool {
        let count = |nodes: &str, role| nodes.lines().filter(|line| line.contains(role)).count();
        self.nodes.iter().all(|node| {
            let state = node.send("CLUSTER INFO");
            let nodes = node.send("CLUSTER NODES");
            let replication = node.send("INFO replication");
            state.contains("cluster_state:ok")
                && state.contains("cluster_slots_ok:16384")
                // A node that has met no other does not know its own address.
                && (self.nodes.len() == 1 || count(&nodes, "127.0.0.1") == self.nodes.len())
                && count(&nodes, "master - ") == self.primaries
                && count(&nodes, " connected") == self.nodes.len()
                && !replication.contains("master_link_status:down")
                && (replication.contains("role:slave")
                    || replication.contains(&format!("connected_slaves:{}", self.replicas_each)))
        })
    }
}

fn node(port: u16, directory: &Path) -> Vec<OsString> {
    let more = [
        ["--appendonly", "no"],
        ["--cluster-enabled", "yes"],
        ["--cluster-node-timeout", NODE_TIMEOUT_MS],
        // By default a primary waits for more replicas that want the same data.
        ["--repl-diskless-sync-delay", "0"],
    ];
    arguments(port, directory, more.as_flattened())
}
