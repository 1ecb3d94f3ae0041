use redis::{Client, Cmd, ConnectionInfo, Pipeline, RedisResult, Value};

use crate::connection::{Failure, Pool, Timeouts};

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
        let client = Client::open(info)?;
        let pool = |client| Pool::new(client, self.timeouts, self.connections);
        let waiting = self.waits.then(|| pool(client.clone()));
        Ok(Node { pool: pool(client), waiting })
    }
}

impl Node {
    /// The answer to each command.
    pub(crate) async fn send(&self, message: Message<'_>) -> Result<Vec<Value>, Failure> {
        match message {
            Message::Command(command) => Ok(vec![self.pool.command(command).await?]),
            Message::Pipeline(pipeline) => self.pool.pipeline(pipeline).await,
            Message::Waiting(pipeline) => {
                self.waiting.as_ref().unwrap_or(&self.pool).pipeline(pipeline).await
            }
        }
    }
}
