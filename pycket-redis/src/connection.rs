mod connect;
mod group_commit;
mod kills;
mod pool;
mod response_limit;
mod shared_task;
#[cfg(feature = "tls")]
mod tls;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisError, RedisResult, Value};
use tokio::task::AbortHandle;

use crate::connection::group_commit::GroupCommit;
use crate::connection::kills::ServerClient;
pub(crate) use crate::connection::pool::Pool;
pub(crate) use crate::connection::response_limit::TooLarge;
pub(crate) use crate::connection::shared_task::SharedTask;
#[cfg(feature = "tls")]
pub(crate) use crate::connection::tls::{Certificates, Tls};

/// One connection to a server, which any number of concurrent requests share.
#[derive(Clone)]
pub(crate) struct Connection {
    client: MultiplexedConnection,
    /// Set if every write on this connection waits for replicas.
    group_commit: Option<GroupCommit>,
    driver: Arc<Driver>,
    /// Set when an answer was too large. It closes the connection.
    is_exceeded: Arc<AtomicBool>,
    /// Taken when the server is to close the connection.
    server_client: Arc<Mutex<Option<ServerClient>>>,
}

/// The task that writes requests and reads answers. Dropping this closes the connection.
struct Driver(AbortHandle);

/// The settings of the connections to every server.
#[derive(Clone)]
pub(crate) struct ConnectionSettings {
    pub(crate) timeouts: Timeouts,
    /// To each server.
    pub(crate) max_connections: usize,
    /// What one answer may take in memory.
    pub(crate) max_response_bytes: usize,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<Tls>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) response: Duration,
}

impl Connection {
    /// Returns the answer to each command, errors of the server included. If the connection waits for
    /// replicas, the answer to `WAIT` follows.
    async fn send(&self, commands: &Pipeline) -> RedisResult<Vec<Value>> {
        let answers = self.answers(commands).await;
        if answers.is_err() && self.is_exceeded.load(Ordering::Acquire) {
            return Err(io::Error::other(TooLarge).into());
        }
        answers
    }

    async fn answers(&self, commands: &Pipeline) -> RedisResult<Vec<Value>> {
        if let Some(group_commit) = &self.group_commit {
            return group_commit.send(commands.clone()).await;
        }
        let mut client = self.client.clone();
        if let (1, Some(command)) = (commands.len(), commands.cmd_iter().next()) {
            return Ok(vec![client.send_packed_command(command).await?]);
        }
        client.send_packed_commands(commands, 0, commands.len()).await
    }

    /// How the server calls this connection, but only once.
    fn take_server_client(&self) -> Option<ServerClient> {
        self.server_client.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether the connection broke, or the runtime that drives it has ended.
    fn is_closed(&self) -> bool {
        self.driver.0.is_finished()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Timeouts {
    /// Maximum time that one request to one server takes.
    pub(crate) fn total(self) -> Duration {
        self.connect.saturating_add(self.response)
    }
}

fn timed_out() -> RedisError {
    io::Error::from(io::ErrorKind::TimedOut).into()
}

fn closed() -> RedisError {
    io::Error::from(io::ErrorKind::BrokenPipe).into()
}
