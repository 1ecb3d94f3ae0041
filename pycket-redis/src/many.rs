use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Value};

use crate::cluster::Cluster;
use crate::connection::Failure;
use crate::error::Request;
use crate::node::{Message, Node};
use crate::patience::Patience;
use crate::safety::Safety;
use crate::sentinel::Watched;

/// Servers among which the right one has to be found, or whose replicas are waited for.
pub(crate) struct Many {
    pub(crate) route: Route,
    pub(crate) safety: Option<Safety>,
}

/// How the server for a key is found.
pub(crate) enum Route {
    /// There is one. Asked again for so long.
    One(Box<Node>, Duration),
    Cluster(Box<Cluster>),
    Watched(Arc<Watched>),
}

impl Many {
    pub(crate) async fn write(
        &self,
        key: &str,
        command: &(impl Fn() -> Cmd + Sync),
    ) -> Result<Value, Failure> {
        let commands = || vec![command()];
        let message = Message::of(&commands);
        let Some(safety) = &self.safety else {
            return only(self.route.send(key, message, Request::Write).await?);
        };
        let answers = self.wait(safety, key, message, Request::Write).await;
        safety.note(key, answers.as_ref().err());
        only(answers?)
    }

    pub(crate) async fn read<const N: usize>(
        &self,
        key: &str,
        commands: &(impl Fn() -> [Cmd; N] + Sync),
    ) -> Result<Vec<Value>, Failure> {
        let commands = || Vec::from(commands());
        let message = Message::of(&commands);
        match self.safety.as_ref().filter(|safety| safety.is_unsettled(key)) {
            None => self.route.send(key, message, Request::Read).await,
            Some(safety) => self.wait(safety, key, message, Request::Read).await,
        }
    }

    async fn wait(
        &self,
        safety: &Safety,
        key: &str,
        message: Message<'_>,
        request: Request,
    ) -> Result<Vec<Value>, Failure> {
        let message = Message { waits: true, ..message };
        let answers = self.route.send(key, message, request).await?;
        let confirmed = safety.confirmed(answers);
        if confirmed.is_err() {
            self.route.doubt();
        }
        confirmed
    }
}

impl Route {
    async fn send(
        &self,
        key: &str,
        message: Message<'_>,
        request: Request,
    ) -> Result<Vec<Value>, Failure> {
        match self {
            Self::One(node, limit) => {
                let patience = Patience::new(*limit);
                match node.send(message).await {
                    Err(failure) => patience.insist(failure, request, || node.send(message)).await,
                    answers => answers,
                }
            }
            Self::Cluster(cluster) => cluster.send(key, message, request).await,
            Self::Watched(watched) => watched.send(message, request).await,
        }
    }

    /// Replicas are missing: perhaps they have another primary by now.
    fn doubt(&self) {
        if let Self::Watched(watched) = self {
            watched.doubt();
        }
    }
}

fn only(answers: Vec<Value>) -> Result<Value, Failure> {
    let answer = answers.into_iter().next();
    answer.ok_or_else(|| Failure::Sent((redis::ErrorKind::Parse, "there is no answer").into()))
}

impl fmt::Debug for Many {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.route {
            Route::One(..) => f.write_str("One"),
            Route::Cluster(cluster) => cluster.fmt(f),
            Route::Watched(watched) => watched.fmt(f),
        }
    }
}
