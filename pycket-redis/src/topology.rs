mod cluster;
mod node;
mod replica_acks;
pub(crate) mod sentinel;
pub(crate) mod slots;

use std::sync::Arc;
use std::time::Duration;

use redis::{Pipeline, RedisError, Value};

pub(crate) use self::cluster::Cluster;
pub(crate) use self::node::{Node, NodeSettings};
pub(crate) use self::replica_acks::ReplicaAcks;
use self::replica_acks::UnconfirmedWrites;
pub(crate) use self::sentinel::Sentinels;
use crate::error::{Access, Failure};
use crate::retry::RetryBudget;

/// The servers that hold the records.
pub(crate) struct Topology {
    route: Route,
    deadline: Duration,
    /// Set if writes wait for replicas.
    unconfirmed: Option<UnconfirmedWrites>,
}

/// How to find the server for a key.
pub(crate) enum Route {
    Single(Box<Node>),
    Cluster(Arc<Cluster>),
    Sentinel(Arc<Sentinels>),
}

/// Commands about one key.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    key: &'a str,
    commands: &'a Pipeline,
    access: Access,
    waits_for_replicas: bool,
}

impl Topology {
    pub(crate) fn new(route: Route, deadline: Duration, waits_for_replicas: bool) -> Self {
        Self { route, deadline, unconfirmed: waits_for_replicas.then(UnconfirmedWrites::default) }
    }

    /// Sends one command that may change the record under the key. Returns its answer.
    pub(crate) async fn write(&self, key: &str, command: &Pipeline) -> Result<Value, Failure> {
        let waits_for_replicas = self.unconfirmed.is_some();
        let access = Access::Write;
        let request = Request { key, commands: command, access, waits_for_replicas };
        let answers = self.send(request).await;
        if let Some(unconfirmed) = &self.unconfirmed {
            unconfirmed.note(key, answers.as_ref().err());
        }
        let answer = answers?.into_iter().next();
        answer.ok_or_else(|| Failure::Sent(no_answer()))
    }

    /// Sends commands that only read the record under the key. Returns the answer to each.
    pub(crate) async fn read(&self, key: &str, commands: &Pipeline) -> Result<Vec<Value>, Failure> {
        let waits_for_replicas =
            self.unconfirmed.as_ref().is_some_and(|unconfirmed| unconfirmed.contains(key));
        let access = Access::Read;
        self.send(Request { key, commands, access, waits_for_replicas }).await
    }

    /// Returns the answer to each command.
    async fn send(&self, request: Request<'_>) -> Result<Vec<Value>, Failure> {
        let budget = RetryBudget::new(self.deadline);
        match &self.route {
            Route::Single(node) => budget.retry(request.access, || node.send(request)).await,
            // In boxes, so that a single server needs no memory for the others.
            Route::Cluster(cluster) => Box::pin(cluster.send(request, budget)).await,
            Route::Sentinel(sentinels) => {
                Box::pin(budget.retry(request.access, || sentinels.send(request))).await
            }
        }
    }
}

impl<'a> Request<'a> {
    /// A question to a server about itself.
    fn question(commands: &'a Pipeline) -> Self {
        Self { key: "", commands, access: Access::Read, waits_for_replicas: false }
    }
}

fn no_answer() -> RedisError {
    (redis::ErrorKind::Parse, "there is no answer").into()
}
