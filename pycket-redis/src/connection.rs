use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, Pipeline, RedisError, RedisResult, Value};
use tokio::sync::OnceCell;

/// The process's connections to one server. They connect on first use, are shared by all requests, and
/// replace themselves when they break.
///
/// The client's own manager is not used: it keeps a connection that no longer answers, and does not tell
/// a request that was never sent from one whose answer is missing.
pub(crate) struct Pool {
    links: Box<[Link]>,
    next: AtomicUsize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) response: Duration,
}

/// Where a request failed.
pub(crate) enum Failure {
    /// No connection could be made, so it was surely not sent.
    Unsent(RedisError),
    /// It was sent, or may have been.
    Sent(RedisError),
}

/// One connection, and the way to the next.
struct Link {
    client: Client,
    config: AsyncConnectionConfig,
    current: Mutex<Arc<Attempt>>,
}

/// One attempt to connect, shared by all who wait for it.
#[derive(Default)]
struct Attempt(OnceCell<RedisResult<MultiplexedConnection>>);

impl Pool {
    pub(crate) fn new(client: &Client, timeouts: Timeouts, connections: usize) -> Self {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(timeouts.connect))
            .set_response_timeout(Some(timeouts.response));
        let link =
            || Link { client: client.clone(), config: config.clone(), current: Mutex::default() };
        Self { links: (0..connections).map(|_| link()).collect(), next: AtomicUsize::new(0) }
    }

    /// One command; its answer.
    pub(crate) async fn command(&self, command: &Cmd) -> Result<Value, Failure> {
        let (link, attempt, mut connection) = self.connect().await?;
        let answer = command.query_async(&mut connection).await;
        self.check(link, &attempt, answer)
    }

    /// Several commands in one round trip; the answer to each.
    pub(crate) async fn pipeline(&self, pipeline: &Pipeline) -> Result<Vec<Value>, Failure> {
        let (link, attempt, mut connection) = self.connect().await?;
        let answers = pipeline.query_async(&mut connection).await;
        self.check(link, &attempt, answers)
    }

    async fn connect(&self) -> Result<(&Link, Arc<Attempt>, MultiplexedConnection), Failure> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.links.len();
        #[expect(clippy::indexing_slicing, reason = "reduced modulo the length just above")]
        let link = &self.links[turn];
        let attempt = Arc::clone(&link.current());
        match attempt.0.get_or_init(|| link.connect()).await.clone() {
            Ok(connection) => Ok((link, attempt, connection)),
            Err(error) => {
                link.replace(&attempt);
                Err(Failure::Unsent(error))
            }
        }
    }

    /// A connection that broke is replaced, and so are the others: what broke one, the end of the
    /// server, broke them all. One that fell silent is replaced alone. Requests that still wait for an
    /// answer on it may get theirs.
    fn check<T>(
        &self,
        link: &Link,
        attempt: &Arc<Attempt>,
        answer: RedisResult<T>,
    ) -> Result<T, Failure> {
        answer.map_err(|error| {
            if error.is_timeout() {
                link.replace(attempt);
            } else if error.is_unrecoverable_error() && link.replace(attempt) {
                self.links.iter().for_each(Link::reset);
            }
            Failure::Sent(error)
        })
    }
}

impl Link {
    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        self.client.get_multiplexed_async_connection_with_config(&self.config).await
    }

    /// Makes room for a new attempt, unless another request already has; whether it did.
    fn replace(&self, broken: &Arc<Attempt>) -> bool {
        let mut current = self.current();
        let is_current = Arc::ptr_eq(&current, broken);
        if is_current {
            *current = Arc::default();
        }
        is_current
    }

    /// Makes room for a new attempt if the current one is through.
    fn reset(&self) {
        let mut current = self.current();
        if current.0.initialized() {
            *current = Arc::default();
        }
    }

    fn current(&self) -> MutexGuard<'_, Arc<Attempt>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("connections", &self.links.len()).finish_non_exhaustive()
    }
}
