mod connect;
mod group_commit;
mod kills;
mod pool;
mod response_limit;
mod shared_task;
#[cfg(feature = "tls")]
mod tls;

use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisError, RedisResult, Value};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::connection::group_commit::GroupCommit;
use crate::connection::kills::ServerClient;
pub(crate) use crate::connection::pool::Pool;
#[cfg(feature = "fuzzing")]
pub(crate) use crate::connection::response_limit::Answer;
pub(crate) use crate::connection::response_limit::TooLarge;
pub(crate) use crate::connection::shared_task::SharedTask;
#[cfg(feature = "tls")]
pub(crate) use crate::connection::tls::{Certificates, Tls};

/// One connection to a server, which any number of concurrent requests share.
#[derive(Clone)]
pub(crate) struct Connection {
    client: Client,
    /// Set if every write on this connection waits for replicas.
    group_commit: Option<GroupCommit>,
    /// Set when an answer was too large. It closes the connection.
    is_exceeded: Arc<AtomicBool>,
    /// Taken when the server is to close the connection.
    server_client: Arc<Mutex<Option<ServerClient>>>,
}

/// How often a request that waits for its answer checks whether the connection is still open.
const CHECK: Duration = Duration::from_millis(100);

/// The client of one connection.
#[derive(Clone)]
struct Client {
    requests: MultiplexedConnection,
    driver: Arc<Driver>,
    response_timeout: Duration,
}

/// The task that writes requests and reads answers. Dropping this closes the connection.
struct Driver {
    task: AbortHandle,
    /// Each request has a clone while it waits for its answer.
    waiting: Arc<()>,
}

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
        let answers = match &self.group_commit {
            Some(group_commit) => group_commit.send(commands.clone()).await,
            None => self.client.send(commands).await,
        };
        if answers.is_err() && self.is_exceeded.load(Ordering::Acquire) {
            return Err(io::Error::other(TooLarge).into());
        }
        answers
    }

    /// How the server calls this connection, but only once.
    fn take_server_client(&self) -> Option<ServerClient> {
        self.server_client.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Client {
    /// Returns the answer to each command.
    async fn send(&self, commands: &Pipeline) -> RedisResult<Vec<Value>> {
        let _waiting = Arc::clone(&self.driver.waiting);
        let mut requests = self.requests.clone();
        let mut request = pin!(async {
            if let (1, Some(command)) = (commands.len(), commands.cmd_iter().next()) {
                return Ok(vec![requests.send_packed_command(command).await?]);
            }
            requests.send_packed_commands(commands, 0, commands.len()).await
        });
        let mut waited = Duration::ZERO;
        while waited < self.response_timeout {
            let next = CHECK.min(self.response_timeout - waited);
            if let Ok(answers) = timeout(next, &mut request).await {
                return answers;
            }
            // The client never answers a request that it gets in the moment in which its driver ends.
            if self.is_closed() {
                return Err(closed());
            }
            waited += next;
        }
        Err(timed_out())
    }

    /// Whether the connection broke, or the runtime that drives it has ended.
    fn is_closed(&self) -> bool {
        self.driver.task.is_finished()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.task.abort();
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

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use redis::{AsyncConnectionConfig, RedisConnectionInfo};
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
    use tokio::time::Instant;

    use super::*;

    /// A connection that logs in without a request, and its driver.
    pub(super) async fn multiplexed(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> (MultiplexedConnection, impl Future<Output = ()> + Send) {
        // The type of the driver borrows it.
        static LOGIN: LazyLock<RedisConnectionInfo> =
            LazyLock::new(|| RedisConnectionInfo::default().set_skip_set_lib_name());
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        MultiplexedConnection::new_with_config(&LOGIN, stream, config).await.unwrap()
    }

    /// Sends a request that gets no answer, because the driver never runs. Returns the error, and when it came.
    async fn unanswered(task: AbortHandle, response_timeout: Duration) -> (RedisError, Duration) {
        let (stream, _server) = tokio::io::duplex(64);
        let (requests, _driver) = multiplexed(stream).await;
        let driver = Arc::new(Driver { task, waiting: Arc::default() });
        let client = Client { requests, driver, response_timeout };
        let start = Instant::now();
        let mut commands = Pipeline::new();
        commands.cmd("PING");
        (client.send(&commands).await.unwrap_err(), start.elapsed())
    }

    /// The rest would reach the server later than what other connections send.
    #[tokio::test(start_paused = true)]
    async fn dropped_connection_does_not_send_the_rest_of_a_request() {
        let (stream, mut server) = tokio::io::duplex(64);
        let (requests, driver) = multiplexed(stream).await;
        let task = tokio::spawn(driver).abort_handle();
        let driver = Arc::new(Driver { task, waiting: Arc::default() });
        let client = Client { requests, driver, response_timeout: CHECK };
        let mut commands = Pipeline::new();
        commands.cmd("ECHO").arg("x".repeat(1000));
        assert!(client.send(&commands).await.unwrap_err().is_timeout());
        drop(client);
        tokio::task::yield_now().await;
        let mut received = Vec::new();
        server.read_to_end(&mut received).await.unwrap();
        assert_eq!(received.len(), 64);
    }

    /// The client forgets a request in the moment in which its driver ends.
    #[tokio::test(start_paused = true)]
    async fn request_that_the_client_forgets_ends_with_its_connection() {
        let ended = tokio::spawn(async {});
        let task = ended.abort_handle();
        ended.await.unwrap();
        let (error, elapsed) = unanswered(task, Duration::from_secs(60)).await;
        assert!(!error.is_timeout());
        assert_eq!(elapsed, CHECK);
    }

    #[tokio::test(start_paused = true)]
    async fn request_without_an_answer_ends_at_the_response_timeout() {
        let open = tokio::spawn(std::future::pending::<()>());
        let response_timeout = CHECK * 3 / 2;
        let (error, elapsed) = unanswered(open.abort_handle(), response_timeout).await;
        assert!(error.is_timeout());
        assert_eq!(elapsed, response_timeout);
    }
}
