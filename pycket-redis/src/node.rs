use redis::{Client, Cmd, ConnectionInfo, RedisResult, Value};

use crate::connection::{Failure, Pool, Timeouts};
use crate::place::Place;
use crate::safety::Replicas;

/// What is sent to a server at once.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a> {
    /// Makes the commands, each time that they are sent.
    pub(crate) commands: &'a (dyn Fn() -> Vec<Cmd> + Sync),
    /// Whether replicas are waited for: one answer more.
    pub(crate) waits: bool,
}

impl<'a> Message<'a> {
    pub(crate) fn of(commands: &'a (dyn Fn() -> Vec<Cmd> + Sync)) -> Self {
        Self { commands, waits: false }
    }
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
    pub(crate) replicas: Option<Replicas>,
}

impl NodeSettings {
    pub(crate) fn node(&self, info: ConnectionInfo) -> RedisResult<Node> {
        let place = Place::of(&info);
        let client = Client::open(info)?;
        let pool = |client| Pool::new(client, self.timeouts, self.connections);
        let waiting =
            self.replicas.map(|replicas| pool(client.clone()).ending_with(replicas.wait()));
        Ok(Node { place, pool: pool(client), waiting })
    }
}

impl Node {
    /// The answer to each command.
    pub(crate) async fn send(&self, message: Message<'_>) -> Result<Vec<Value>, Failure> {
        match &self.waiting {
            Some(waiting) if message.waits => waiting.waiting(message.commands).await,
            _ => self.pool.commands(message.commands).await,
        }
    }
}
