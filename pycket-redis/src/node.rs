use redis::{Client, Cmd, ConnectionInfo, Pipeline, RedisResult, Value};

use crate::connection::{Failure, Pool, Timeouts};
use crate::place::Place;

/// What is sent to a server at once.
#[derive(Clone, Copy)]
pub(crate) enum Message<'a> {
    Command(&'a Cmd),
    Pipeline(&'a Pipeline),
    /// One whose answer replicas are waited for.
    Waiting(&'a Pipeline),
}

/// One server of several, or one whose replicas are waited for. It connects when it is first needed.
pub(crate) struct Node {
    /// `None` for a Unix socket.
    pub(crate) place: Option<Place>,
    pool: Pool,
    /// A waiting connection answers nothing else, so those who need not wait have others.
    waiting: Option<Pool>,
}

/// How nodes are made, also those that are heard of later.
#[derive(Clone, Copy)]
pub(crate) struct NodeSettings {
    pub(crate) timeouts: Timeouts,
    pub(crate) connections: usize,
    pub(crate) waits: bool,
}

impl NodeSettings {
    pub(crate) fn node(&self, info: ConnectionInfo) -> RedisResult<Node> {
        let place = Place::of(&info);
        let client = Client::open(info)?;
        let pool = |client| Pool::new(client, self.timeouts, self.connections);
        let waiting = self.waits.then(|| pool(client.clone()));
        Ok(Node { place, pool: pool(client), waiting })
    }
}

impl Node {
    /// The answer to each command.
    pub(crate) async fn send(&self, message: Message<'_>) -> Result<Vec<Value>, Failure> {
        match message {
            Message::Command(command) => Ok(vec![self.pool.command(command).await?]),
            Message::Pipeline(pipeline) => self.pool.pipeline(pipeline).await,
            Message::Waiting(pipeline) => {
                let pool = self.waiting.as_ref().unwrap_or(&self.pool);
                pool.pipeline(pipeline).await.map_err(|failure| after_the_fact(failure, pipeline))
            }
        }
    }
}

/// If it is only the waiting, at the end, that the server refused, the rest has happened.
fn after_the_fact(failure: Failure, pipeline: &Pipeline) -> Failure {
    let Failure::Sent(error) = failure else { return failure };
    let errors = error.clone().into_server_errors().unwrap_or_default();
    if !errors.is_empty() && errors.iter().all(|(index, _)| index + 1 == pipeline.len()) {
        let what = "the server refused to wait for replicas";
        return Failure::Sent((redis::ErrorKind::Client, what, error.to_string()).into());
    }
    Failure::Sent(error)
}
