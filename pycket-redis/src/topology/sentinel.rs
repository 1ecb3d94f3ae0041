use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_core::Stream;
use redis::{Msg, Pipeline, RedisError, RedisResult, Value};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Node, NodeSettings, Request};
use crate::address::{Endpoint, NodeAddr};
use crate::connection::{ConnectionSettings, Pool, SharedTask};
use crate::error::{Access, Failure};

/// A sentinel publishes this a tenth of a second before it promotes a replica. What the old primary accepts after
/// that is lost.
const BEGIN: &str = "+failover-state-send-slaveof-noone";

/// From now on the sentinel names the new primary.
const PROMOTED: &str = "+promoted-slave";

/// A sentinel that did not lead the failover now names the new primary.
const SWITCHED: &str = "+switch-master";

/// The replica was not promoted.
const ABORTED_TIMEOUT: &str = "-failover-abort-slave-timeout";

/// A primary that sentinels watch and replace when it fails.
pub(crate) struct Sentinels {
    sentinels: Box<[Pool]>,
    service: Box<str>,
    /// How to log in to the primary.
    endpoint: Endpoint,
    settings: NodeSettings,
    state: Mutex<State>,
    /// The sentinel that answered last.
    current: AtomicUsize,
}

#[derive(Default)]
struct State {
    /// The last primary. Its node knows which connections the server must close.
    primary: Option<Arc<Node>>,
    /// When the sentinels were last asked about the primary; `None` if it must be searched again.
    asked: Option<Instant>,
    search: Option<SharedTask<(Arc<Node>, Instant)>>,
    /// One task per sentinel that waits for its announcements. Each ends with its connection.
    listeners: JoinSet<usize>,
    /// Until then the sentinels are about to replace the primary, and no write is sent.
    pause: Option<Instant>,
}

impl Sentinels {
    /// A primary that the sentinels replace while it is alive learns of that only after some ten seconds, and
    /// loses the writes that it accepts meanwhile. The sentinels know at once.
    ///
    /// Their announcements come sooner. This interval is for sentinels whose announcements do not arrive.
    const CHECK_INTERVAL: Duration = Duration::from_secs(1);

    /// A sentinel sees within about a second that the replica which it promotes is a primary.
    const MAX_PAUSE: Duration = Duration::from_secs(3);

    pub(crate) fn new(
        sentinels: Vec<Endpoint>,
        service: String,
        endpoint: Endpoint,
        settings: NodeSettings,
    ) -> Self {
        let one = ConnectionSettings { max_connections: 1, ..settings.connections.clone() };
        let sentinels =
            sentinels.into_iter().map(|sentinel| Pool::new(sentinel, one.clone(), None));
        Self {
            sentinels: sentinels.collect(),
            service: service.into(),
            endpoint,
            settings,
            state: Mutex::default(),
            current: AtomicUsize::new(0),
        }
    }

    /// Returns the answer to each command, from the primary.
    pub(super) async fn send(
        self: &Arc<Self>,
        request: Request<'_>,
    ) -> Result<Vec<Value>, Failure> {
        let primary = self.primary().await.map_err(Failure::Unsent)?;
        if request.access == Access::Write && self.lock().is_paused() {
            return Err(Failure::Unsent(is_replaced()));
        }
        let answers = primary.send(request).await;
        if answers.as_ref().is_err_and(|failure| failure.is_ambiguous() || failure.is_transient()) {
            self.forget(&primary);
        }
        answers
    }

    /// All requests that need the primary at the same time share one search and its failure.
    async fn primary(self: &Arc<Self>) -> RedisResult<Arc<Node>> {
        let limit = self.settings.connections.timeouts.total();
        let search = {
            let mut state = self.lock();
            if let (Some(primary), Some(asked)) = (state.primary.clone(), state.asked) {
                if asked.elapsed() >= Self::CHECK_INTERVAL {
                    state.asked = Some(Instant::now());
                    self.listen_to_all(&mut state.listeners);
                    tokio::spawn(Arc::clone(self).check(Arc::clone(&primary)));
                }
                return Ok(primary);
            }
            let sentinels = Arc::clone(self);
            let start = || SharedTask::spawn(limit, async move { sentinels.search().await });
            state.search.get_or_insert_with(start).clone()
        };
        let result = search.wait(limit).await;
        let mut state = self.lock();
        // The first request that sees the end of the search stores its result.
        if state.search.take_if(|current| current.is_same(&search)).is_some()
            && let Ok((primary, asked)) = &result
        {
            self.listen_to_all(&mut state.listeners);
            state.primary = Some(Arc::clone(primary));
            state.asked = Some(*asked);
        }
        result.map(|(primary, _)| primary)
    }

    /// Starts the listeners that do not run.
    fn listen_to_all(self: &Arc<Self>, listeners: &mut JoinSet<usize>) {
        let mut ended = Vec::new();
        while let Some(listener) = listeners.try_join_next() {
            ended.extend(listener);
        }
        if listeners.is_empty() {
            ended = (0..self.sentinels.len()).collect();
        }
        for index in ended {
            listeners.spawn(Arc::clone(self).listen(index));
        }
    }

    /// Follows what one sentinel announces, until its connection ends.
    async fn listen(self: Arc<Self>, index: usize) -> usize {
        let Some(sentinel) = self.sentinels.get(index) else { return index };
        let channels = [BEGIN, PROMOTED, SWITCHED, ABORTED_TIMEOUT];
        let Ok(mut announcements) = sentinel.subscribe(&channels).await else { return index };
        let sentinels = Arc::downgrade(&self);
        drop(self);
        while let Some(message) =
            poll_fn(|context| Pin::new(&mut announcements).poll_next(context)).await
        {
            let Some(sentinels) = sentinels.upgrade() else { break };
            sentinels.follow(index, &message).await;
        }
        index
    }

    async fn follow(self: Arc<Self>, index: usize, message: &Msg) {
        let text: String = message.get_payload().unwrap_or_default();
        if !text.split(' ').any(|word| word == &*self.service) {
            return;
        }
        let primary = {
            let mut state = self.lock();
            let begins = message.get_channel_name() == BEGIN;
            state.pause = begins.then(|| Instant::now() + Self::MAX_PAUSE);
            state.primary.clone().filter(|_| !begins)
        };
        if let Some(primary) = primary {
            // The other sentinels learn of the new primary later.
            self.current.store(index, Ordering::Relaxed);
            self.check(primary).await;
        }
    }

    /// Asks whether the sentinels still name this primary. If none answers, it stays.
    async fn check(self: Arc<Self>, primary: Arc<Node>) {
        let command = self.get_primary();
        for (_, sentinel) in self.in_order() {
            let answers = sentinel.send(&command).await;
            let Some(named) = answers.ok().as_deref().and_then(parse_addr) else { continue };
            if primary.addr.as_ref() != Some(&named) {
                self.forget(&primary);
            }
            return;
        }
    }

    async fn search(&self) -> RedisResult<(Arc<Node>, Instant)> {
        let mut failure = unknown();
        for (index, sentinel) in self.in_order() {
            match self.ask(sentinel).await {
                Ok(primary) => {
                    self.current.store(index, Ordering::Relaxed);
                    return Ok((primary, Instant::now()));
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// The sentinel may have outdated information, so the server must confirm that it is the primary.
    async fn ask(&self, sentinel: &Pool) -> RedisResult<Arc<Node>> {
        let answers = sentinel.send(&self.get_primary()).await.map_err(Failure::into_source)?;
        let addr = parse_addr(&answers).ok_or_else(unknown)?;
        let last = self.lock().primary.clone().filter(|last| last.addr.as_ref() == Some(&addr));
        let node = last.unwrap_or_else(|| Arc::new(self.settings.node(self.endpoint.at(addr))));
        let mut command = Pipeline::new();
        command.cmd("ROLE");
        let answers = node.send(Request::question(&command)).await.map_err(Failure::into_source)?;
        if is_primary(&answers) { Ok(node) } else { Err(is_replica()) }
    }

    /// All sentinels, beginning with the one that answered last.
    fn in_order(&self) -> impl Iterator<Item = (usize, &Pool)> {
        let first = self.current.load(Ordering::Relaxed);
        self.sentinels.iter().enumerate().cycle().skip(first).take(self.sentinels.len())
    }

    fn get_primary(&self) -> Pipeline {
        let mut command = Pipeline::new();
        command.cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(&*self.service);
        command
    }

    /// Searches again before the next request, unless another request already has.
    fn forget(&self, primary: &Arc<Node>) {
        let mut state = self.lock();
        if state.primary.as_ref().is_some_and(|current| Arc::ptr_eq(current, primary)) {
            state.asked = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_paused(&self) -> bool {
        self.pause.is_some_and(|end| Instant::now() < end)
    }
}

pub(crate) fn parse_addr(answers: &[Value]) -> Option<NodeAddr> {
    let Value::Array(parts) = answers.first()? else { return None };
    let [Value::BulkString(host), Value::BulkString(port)] = parts.as_slice() else { return None };
    let (host, port) = (std::str::from_utf8(host).ok()?, std::str::from_utf8(port).ok()?);
    Some(NodeAddr::new(host, port.parse().ok()?))
}

pub(crate) fn is_primary(answers: &[Value]) -> bool {
    let Some(Value::Array(role)) = answers.first() else { return false };
    matches!(role.first(), Some(Value::BulkString(role)) if role == b"master")
}

fn unknown() -> RedisError {
    let kind = redis::ErrorKind::MasterNameNotFoundBySentinel;
    (kind, "the sentinels know no primary of that name").into()
}

fn is_replaced() -> RedisError {
    let kind = redis::ErrorKind::MasterNameNotFoundBySentinel;
    (kind, "the sentinels are about to replace the primary").into()
}

fn is_replica() -> RedisError {
    let kind = redis::ErrorKind::MasterNameNotFoundBySentinel;
    (kind, "the server that the sentinels name as primary is a replica").into()
}

#[cfg(test)]
mod tests;
