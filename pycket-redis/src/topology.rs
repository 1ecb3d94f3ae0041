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
    /// Set if writes wait for replicas.
    unconfirmed: Option<UnconfirmedWrites>,
}

/// How to find the server for a key.
pub(crate) enum Route {
    Single { node: Box<Node>, deadline: Duration },
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
    pub(crate) fn new(route: Route, waits_for_replicas: bool) -> Self {
        Self { route, unconfirmed: waits_for_replicas.then(UnconfirmedWrites::default) }
    }

    /// Sends one command that may change the record under the key. Returns its answer.
    pub(crate) async fn write(&self, key: &str, command: &Pipeline) -> Result<Value, Failure> {
        let waits_for_replicas = self.unconfirmed.is_some();
        let access = Access::Write;
        let request = Request { key, commands: command, access, waits_for_replicas };
        let answers = self.route.send(request).await;
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
        self.route.send(Request { key, commands, access, waits_for_replicas }).await
    }
}

impl Route {
    /// Returns the answer to each command.
    async fn send(&self, request: Request<'_>) -> Result<Vec<Value>, Failure> {
        match self {
            Self::Single { node, deadline } => {
                let budget = RetryBudget::new(*deadline);
                match node.send(request).await {
                    // In boxes, so that the usual way needs no memory for the others.
                    Err(failure) => {
                        let send = || node.send(request);
                        Box::pin(budget.retry(failure, request.access, send)).await
                    }
                    answers => answers,
                }
            }
            Self::Cluster(cluster) => Box::pin(cluster.send(request)).await,
            Self::Sentinel(sentinels) => Box::pin(sentinels.send(request)).await,
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
