use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use redis::{Client, Cmd, ConnectionInfo, RedisError, RedisResult, Value};
use tokio::time::{Instant, timeout};

use crate::connection::{Failure, Pool};
use crate::error::Request;
use crate::node::{Message, Node, NodeSettings};
use crate::patience::Patience;
use crate::place::Place;

/// A primary that sentinels watch, and replace when it fails.
pub(crate) struct Watched {
    sentinels: Box<[Pool]>,
    service: Box<str>,
    /// How to meet the primary: all but its address.
    info: ConnectionInfo,
    settings: NodeSettings,
    /// How long a request that surely did nothing is tried again.
    limit: Duration,
    /// As it was last found.
    primary: Mutex<Option<Found>>,
    /// What the last search failed with.
    searching: tokio::sync::Mutex<Option<RedisError>>,
    searches: AtomicUsize,
    turn: AtomicUsize,
}

struct Found {
    node: Arc<Node>,
    /// When the sentinels were last asked.
    asked: Instant,
}

impl Watched {
    /// A primary that the sentinels replace while it lives does not know for some ten seconds, and takes
    /// writes that are lost. They know at once.
    const ASKED_EVERY: Duration = Duration::from_secs(1);

    pub(crate) fn new(
        sentinels: Vec<ConnectionInfo>,
        service: String,
        info: ConnectionInfo,
        settings: NodeSettings,
        limit: Duration,
    ) -> RedisResult<Self> {
        let pool = |info| Ok(Pool::new(Client::open(info)?, settings.timeouts, 1));
        Ok(Self {
            sentinels: sentinels.into_iter().map(pool).collect::<RedisResult<_>>()?,
            service: service.into(),
            info,
            settings,
            limit,
            primary: Mutex::default(),
            searching: tokio::sync::Mutex::default(),
            searches: AtomicUsize::new(0),
            turn: AtomicUsize::new(0),
        })
    }

    /// The answer to each command of the message, from the primary.
    pub(crate) async fn send(
        self: &Arc<Self>,
        message: Message<'_>,
        request: Request,
    ) -> Result<Vec<Value>, Failure> {
        let patience = Patience::new(self.limit);
        match self.attempt(message).await {
            Err(failure) => patience.insist(failure, request, || self.attempt(message)).await,
            answers => answers,
        }
    }

    async fn attempt(self: &Arc<Self>, message: Message<'_>) -> Result<Vec<Value>, Failure> {
        let primary = self.primary().await?;
        let answers = primary.send(message).await;
        if answers.as_ref().is_err_and(|failure| failure.is_open() || failure.is_transient()) {
            self.forget(&primary);
        }
        answers
    }

    /// Looks for the primary again before the next request.
    pub(crate) fn doubt(&self) {
        *self.lock() = None;
    }

    /// All who need it wait for one search, and share its failure.
    async fn primary(self: &Arc<Self>) -> Result<Arc<Node>, Failure> {
        let searches = self.searches.load(Ordering::Acquire);
        if let Some(primary) = self.known() {
            return Ok(primary);
        }
        let mut last = self.searching.lock().await;
        if let Some(primary) = self.known() {
            return Ok(primary);
        }
        if let Some(error) = last.clone().filter(|_| self.is_later(searches)) {
            return Err(Failure::Unsent(error));
        }
        let found = timeout(self.settings.timeouts.both(), self.find()).await;
        let found = found.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()));
        self.searches.fetch_add(1, Ordering::Release);
        match found {
            Ok(primary) => {
                let node = Arc::new(primary);
                *self.lock() = Some(Found { node: Arc::clone(&node), asked: Instant::now() });
                Ok(node)
            }
            Err(error) => {
                *last = Some(error.clone());
                Err(Failure::Unsent(error))
            }
        }
    }

    /// Nobody waits for the sentinels when it is time to ask them again.
    fn known(self: &Arc<Self>) -> Option<Arc<Node>> {
        let mut primary = self.lock();
        let found = primary.as_mut()?;
        if found.asked.elapsed() >= Self::ASKED_EVERY {
            found.asked = Instant::now();
            tokio::spawn(Arc::clone(self).check(Arc::clone(&found.node)));
        }
        Some(Arc::clone(&found.node))
    }

    /// Whether the sentinels still name it; if they do not say, it stays.
    async fn check(self: Arc<Self>, primary: Arc<Node>) {
        let first = self.turn.load(Ordering::Relaxed);
        for sentinel in self.sentinels.iter().cycle().skip(first).take(self.sentinels.len()) {
            let answer = sentinel.command(|| address_of(&self.service)).await;
            let Some(named) = answer.ok().as_ref().and_then(place) else { continue };
            if primary.place.as_ref() != Some(&named) {
                self.forget(&primary);
            }
            return;
        }
    }

    fn is_later(&self, searches: usize) -> bool {
        self.searches.load(Ordering::Acquire) != searches
    }

    /// A sentinel may be behind the times, so the server itself must agree.
    async fn find(&self) -> RedisResult<Node> {
        let first = self.turn.load(Ordering::Relaxed);
        let mut failure = unknown();
        for turn in 0..self.sentinels.len() {
            let index = (first + turn) % self.sentinels.len();
            let Some(sentinel) = self.sentinels.get(index) else { continue };
            match self.ask(sentinel).await {
                Ok(primary) => {
                    self.turn.store(index, Ordering::Relaxed);
                    return Ok(primary);
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn ask(&self, sentinel: &Pool) -> RedisResult<Node> {
        let address = || address_of(&self.service);
        let answer = sentinel.command(address).await.map_err(Failure::into_error)?;
        let place = place(&answer).ok_or_else(unknown)?;
        let node = self.settings.node(place.info(&self.info))?;
        let role = node
            .send(Message::of(&|| vec![redis::cmd("ROLE")]))
            .await
            .map_err(Failure::into_error)?;
        if is_primary(&role) { Ok(node) } else { Err(not_yet()) }
    }

    /// Unless another request already has found a new one.
    fn forget(&self, primary: &Arc<Node>) {
        let mut current = self.lock();
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(&current.node, primary)) {
            *current = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Found>> {
        self.primary.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn address_of(service: &str) -> Cmd {
    let mut command = redis::cmd("SENTINEL");
    command.arg("GET-MASTER-ADDR-BY-NAME").arg(service);
    command
}

fn place(answer: &Value) -> Option<Place> {
    let Value::Array(parts) = answer else { return None };
    let [Value::BulkString(host), Value::BulkString(port)] = parts.as_slice() else { return None };
    let host = String::from_utf8(host.clone()).ok()?;
    Some(Place { host, port: std::str::from_utf8(port).ok()?.parse().ok()? })
}

fn is_primary(answers: &[Value]) -> bool {
    let Some(Value::Array(role)) = answers.first() else { return false };
    matches!(role.first(), Some(Value::BulkString(role)) if role == b"master")
}

fn unknown() -> RedisError {
    let kind = redis::ErrorKind::MasterNameNotFoundBySentinel;
    (kind, "the sentinels know no primary of that name").into()
}

fn not_yet() -> RedisError {
    let kind = redis::ErrorKind::MasterNameNotFoundBySentinel;
    (kind, "the server that the sentinels call primary is a replica").into()
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("service", &self.service).finish_non_exhaustive()
    }
}
