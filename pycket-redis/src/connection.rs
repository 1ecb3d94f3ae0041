use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use redis::{AsyncConnectionConfig, Client, Cmd, RedisError, RedisResult, ServerErrorKind, Value};
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};

use crate::batcher::Batcher;

/// The process's connections to one server. They connect on first use, are shared by all requests, and
/// replace themselves when they break.
///
/// The client's own manager is not used: it keeps a connection that no longer answers, and does not tell
/// a request that was never sent from one whose answer is missing.
pub(crate) struct Pool {
    client: Client,
    config: AsyncConnectionConfig,
    timeouts: Timeouts,
    /// What each batch of commands ends with.
    ending: Option<Cmd>,
    /// Under one lock, so that whoever is told that a connection broke finds all of them replaced.
    attempts: Mutex<Box<[Arc<Attempt>]>>,
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

/// One attempt to connect, shared by all who wait for it, and the connection that came of it.
type Attempt = OnceCell<RedisResult<Arc<Batcher>>>;

/// The attempt that a request uses, and which of the connections it is.
struct Place {
    index: usize,
    attempt: Arc<Attempt>,
}

/// Which connections an error makes useless.
#[derive(PartialEq, Eq)]
enum Damage {
    None,
    This,
    All,
}

impl Pool {
    pub(crate) fn new(client: Client, timeouts: Timeouts, connections: usize) -> Self {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(Some(timeouts.response));
        Self {
            client,
            config,
            timeouts,
            ending: None,
            attempts: Mutex::new((0..connections).map(|_| Arc::default()).collect()),
            next: AtomicUsize::new(0),
        }
    }

    /// Ends each batch of commands with this one, whose answer goes to every request of the batch, too.
    pub(crate) fn ending_with(mut self, command: Cmd) -> Self {
        self.ending = Some(command);
        self
    }

    /// One command; its answer.
    pub(crate) async fn command(&self, command: impl Fn() -> Cmd) -> Result<Value, Failure> {
        let (place, answers) = self.ask(|| [command()]).await?;
        let answers = self.none_refused(&place, answers)?;
        Ok(answers.into_iter().next().unwrap_or(Value::Nil))
    }

    /// Several commands in one round trip; the answer to each.
    pub(crate) async fn commands<I: IntoIterator<Item = Cmd>>(
        &self,
        commands: impl Fn() -> I,
    ) -> Result<Vec<Value>, Failure> {
        let (place, answers) = self.ask(commands).await?;
        self.none_refused(&place, answers)
    }

    /// Several commands, and the one that waits for them to be safe; the answer to each.
    pub(crate) async fn waiting<I: IntoIterator<Item = Cmd>>(
        &self,
        commands: impl Fn() -> I,
    ) -> Result<Vec<Value>, Failure> {
        let (place, mut answers) = self.ask(commands).await?;
        let waited = answers.pop();
        let mut answers = self.none_refused(&place, answers)?;
        if let Some(Value::ServerError(error)) = waited {
            // The others have happened.
            let what = "the server refused to wait for replicas";
            let error = (redis::ErrorKind::Client, what, RedisError::from(error).to_string());
            return Err(Failure::Sent(error.into()));
        }
        answers.extend(waited);
        Ok(answers)
    }

    /// The commands are made when there is a connection, so that waiting needs no room for them.
    async fn ask<I: IntoIterator<Item = Cmd>>(
        &self,
        commands: impl Fn() -> I,
    ) -> Result<(Place, Vec<Value>), Failure> {
        let (place, connection) = self.connect().await?;
        let answers = connection.send(commands());
        drop(connection);
        match answers.all().await {
            Ok(answers) => Ok((place, answers)),
            Err(error) => Err(self.failed(&place, error)),
        }
    }

    fn none_refused(&self, place: &Place, answers: Vec<Value>) -> Result<Vec<Value>, Failure> {
        // What is inside of an answer is no refusal: it does not decode.
        let refusal = answers.iter().find_map(|answer| match answer {
            Value::ServerError(error) => Some(RedisError::from(error.clone())),
            _ => None,
        });
        refusal.map_or(Ok(answers), |error| Err(self.failed(place, error)))
    }

    async fn connect(&self) -> Result<(Place, Arc<Batcher>), Failure> {
        let place = self.place();
        let attempt = match place.attempt.get() {
            Some(attempt) => attempt.clone(),
            // In a box, so that requests that find a connection need no room for this.
            None => {
                let arrival = Instant::now();
                Box::pin(place.attempt.get_or_init(|| self.open(arrival))).await.clone()
            }
        };
        match attempt {
            Ok(connection) => Ok((place, connection)),
            Err(error) => {
                self.give_up(&place, Damage::This);
                Err(Failure::Unsent(error))
            }
        }
    }

    /// Whoever takes over because others stopped waiting has itself been waiting since its arrival, so
    /// that nobody waits longer than the timeout.
    async fn open(&self, arrival: Instant) -> RedisResult<Arc<Batcher>> {
        let left = self.timeouts.connect.saturating_sub(arrival.elapsed());
        let connecting = self.client.get_multiplexed_async_connection_with_config(&self.config);
        match timeout(left, connecting).await {
            Ok(Ok(connection)) => {
                let ending = self.ending.clone();
                Ok(Batcher::new(connection, ending, self.timeouts.response))
            }
            Ok(Err(error)) => Err(self.without_password(error)),
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        }
    }

    /// A server may repeat what it was told.
    fn without_password(&self, error: RedisError) -> RedisError {
        let password = self.client.get_connection_info().redis_settings().password();
        match password {
            Some(password) if error.to_string().contains(password) => {
                (error.kind(), "the server refused the greeting").into()
            }
            _ => error,
        }
    }

    fn failed(&self, place: &Place, error: RedisError) -> Failure {
        self.give_up(place, damage(&error));
        Failure::Sent(error)
    }

    /// Makes room for new attempts, unless another request already has. Requests that still wait for an
    /// answer on an old connection may get theirs.
    fn give_up(&self, place: &Place, damage: Damage) {
        if damage == Damage::None {
            return;
        }
        let mut attempts = self.attempts();
        match attempts.get_mut(place.index) {
            Some(current) if Arc::ptr_eq(current, &place.attempt) => *current = Arc::default(),
            _ => return,
        }
        if damage == Damage::All {
            let made = attempts.iter_mut().filter(|attempt| attempt.initialized());
            made.for_each(|attempt| *attempt = Arc::default());
        }
    }

    fn place(&self) -> Place {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let attempts = self.attempts();
        let index = turn % attempts.len();
        #[expect(clippy::indexing_slicing, reason = "reduced modulo the length just above")]
        Place { index, attempt: Arc::clone(&attempts[index]) }
    }

    fn attempts(&self) -> MutexGuard<'_, Box<[Arc<Attempt>]>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failure {
    /// Whether it was the connection that failed, and not only the answer that was late.
    pub(crate) fn is_break(&self) -> bool {
        matches!(self, Self::Sent(error) if is_break(error))
    }

    /// Wherever it failed: for a question on the way to the request, which was not even sent.
    pub(crate) fn into_error(self) -> RedisError {
        match self {
            Self::Sent(error) | Self::Unsent(error) => error,
        }
    }
}

/// What broke one connection, the end of the server, broke them all; so did its becoming a replica,
/// because the name may lead to another server by now. One that fell silent did so alone.
fn damage(error: &RedisError) -> Damage {
    if error.is_timeout() {
        Damage::This
    } else if is_break(error) || is_from_replica(error) {
        Damage::All
    } else {
        Damage::None
    }
}

fn is_break(error: &RedisError) -> bool {
    (error.is_io_error() || error.is_unrecoverable_error()) && !error.is_timeout()
}

/// Servers before version 7 wrap a script's error in their own.
fn is_from_replica(error: &RedisError) -> bool {
    error.kind() == ServerErrorKind::ReadOnly.into() || error.to_string().contains("READONLY You")
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("connections", &self.attempts().len()).finish_non_exhaustive()
    }
}
