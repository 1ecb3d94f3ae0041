use redis::Value;

use super::{ReplicaAcks, Request};
use crate::address::{Endpoint, NodeAddr};
use crate::connection::{ConnectionSettings, Pool};
use crate::error::Failure;

/// One server. It is connected on first use.
pub(crate) struct Node {
    /// `None` for a Unix socket.
    pub(super) addr: Option<NodeAddr>,
    pool: Pool,
    /// While `WAIT` is in flight a connection answers nothing else, so other requests use `pool`.
    waiting: Option<(Pool, ReplicaAcks)>,
}

/// The settings of every server of a topology.
#[derive(Clone)]
pub(crate) struct NodeSettings {
    pub(crate) connections: ConnectionSettings,
    pub(crate) replica_acks: Option<ReplicaAcks>,
}

impl NodeSettings {
    pub(crate) fn node(&self, endpoint: Endpoint) -> Node {
        let addr = endpoint.node().cloned();
        let pool = |wait| Pool::new(endpoint.clone(), self.connections.clone(), wait);
        let waiting = self.replica_acks.map(|acks| (pool(Some(acks.command())), acks));
        Node { addr, pool: pool(None), waiting }
    }
}

impl Node {
    /// Returns the answer to each command.
    pub(super) async fn send(&self, request: Request<'_>) -> Result<Vec<Value>, Failure> {
        match &self.waiting {
            Some((pool, acks)) if request.waits_for_replicas => {
                acks.check(pool.send(request.commands).await?)
            }
            _ => self.pool.send(request.commands).await,
        }
    }
}
