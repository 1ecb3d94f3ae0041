use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::aio::PubSubStream;
use redis::{Cmd, Pipeline, RedisError, RedisResult, Value};
use tokio::time::{Instant, timeout};

use super::kills::Kills;
use super::{Connection, ConnectionSettings, SharedTask, closed, timed_out};
use crate::address::Endpoint;
use crate::error::{Damage, Failure};

/// The connections of this process to one server. They connect on first use and are replaced when they break.
///
/// The client's own connection manager is not used: it keeps a connection that no longer answers, and its
/// errors do not tell whether a request was sent.
pub(crate) struct Pool {
    endpoint: Arc<Endpoint>,
    settings: ConnectionSettings,
    wait: Option<Cmd>,
    /// One lock for all, so that a request that reports a dead server replaces all connections at once.
    connections: Mutex<Box<[Option<Connecting>]>>,
    next: AtomicUsize,
    kills: Kills,
}

/// An attempt to connect, and the connection that came of it.
type Connecting = SharedTask<Connection>;

impl Pool {
    /// `wait` is the command that waits for replicas, if the writes have to.
    pub(crate) fn new(endpoint: Endpoint, settings: ConnectionSettings, wait: Option<Cmd>) -> Self {
        let connections = (0..settings.max_connections).map(|_| None).collect();
        Self {
            endpoint: Arc::new(endpoint),
            settings,
            wait,
            connections: Mutex::new(connections),
            next: AtomicUsize::new(0),
            kills: Kills::default(),
        }
    }

    /// Sends the commands in one write. Returns the answer to each, or the first error of the server.
    ///
    /// If the pool waits for replicas, the answer to `WAIT` follows. That one may be an error.
    pub(crate) async fn send(&self, commands: &Pipeline) -> Result<Vec<Value>, Failure> {
        let (mut index, mut connecting) = self.connection();
        if !matches!(connecting.result(), Some(Ok(_))) {
            // In a box, so that requests on an open connection need no memory for this.
            let connected = Box::pin(self.wait(index, connecting)).await;
            (index, connecting) = connected.map_err(Failure::Unsent)?;
        }
        let Some(Ok(connection)) = connecting.result() else {
            return Err(Failure::Unsent(closed()));
        };
        let answers = connection.send(commands).await.and_then(|answers| {
            // An error inside another answer does not decode, so only this level is checked.
            let own = answers.iter().take(commands.len());
            let refusal = own.into_iter().find_map(|answer| match answer {
                Value::ServerError(error) => Some(RedisError::from(error.clone())),
                _ => None,
            });
            refusal.map_or(Ok(answers), Err)
        });
        answers.map_err(|error| {
            if error.is_timeout() {
                self.kill(connection);
            }
            self.replace(index, &connecting, Damage::of(&error));
            Failure::Sent(error)
        })
    }

    /// Opens a connection of its own for what the server publishes on these channels.
    pub(crate) async fn subscribe(&self, channels: &[&str]) -> RedisResult<PubSubStream> {
        let subscribing = self.settings.subscribe(&self.endpoint, channels);
        timeout(self.settings.timeouts.connect, subscribing)
            .await
            .unwrap_or_else(|_| Err(timed_out()))
    }

    /// The next connection in turn. Starts to connect if there is none.
    fn connection(&self) -> (usize, Connecting) {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let mut connections = self.lock();
        let index = turn % connections.len();
        if let Some(Some(connecting)) = connections.get(index) {
            let connecting = connecting.clone();
            match connecting.result() {
                Some(Ok(connection)) if connection.client.is_closed() => {
                    remove_connected(&mut connections)
                }
                Some(Err(_)) => {}
                None if connecting.is_abandoned() => {}
                _ => return (index, connecting),
            }
        }
        let endpoint = Arc::clone(&self.endpoint);
        let work = self.settings.clone().connect(endpoint, self.wait.clone(), self.kills.clone());
        let connecting = SharedTask::spawn(self.settings.timeouts.connect, work);
        if let Some(place) = connections.get_mut(index) {
            *place = Some(connecting.clone());
        }
        (index, connecting)
    }

    /// Waits for the connection, for at most the connect timeout.
    async fn wait(
        &self,
        mut index: usize,
        mut connecting: Connecting,
    ) -> RedisResult<(usize, Connecting)> {
        let arrival = Instant::now();
        loop {
            let left = self.settings.timeouts.connect.saturating_sub(arrival.elapsed());
            match connecting.wait(left).await {
                Ok(_) => return Ok((index, connecting)),
                // The runtime of the request that started it has ended, so this one connects in its own.
                Err(_) if connecting.is_abandoned() => (index, connecting) = self.connection(),
                Err(error) => {
                    self.replace(index, &connecting, Damage::Connection);
                    return Err(error);
                }
            }
        }
    }

    /// Makes room for a new connection, unless another request already has. Requests that still wait on the
    /// old connection may get their answers.
    fn replace(&self, index: usize, connecting: &Connecting, damage: Damage) {
        let mut connections = self.lock();
        let Some(place) = connections.get_mut(index) else { return };
        if damage == Damage::None || !place.as_ref().is_some_and(|now| now.is_same(connecting)) {
            return;
        }
        *place = None;
        if damage == Damage::Server {
            remove_connected(&mut connections);
        }
    }

    /// Makes the server close the connection before any later request: all of them use new connections, and those
    /// close this one first.
    fn kill(&self, connection: &Connection) {
        if let Some(client) = connection.take_server_client() {
            self.kills.add(client);
            self.lock().fill_with(|| None);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Box<[Option<Connecting>]>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remove_connected(connections: &mut [Option<Connecting>]) {
    for place in connections {
        place.take_if(|connecting| connecting.result().is_some());
    }
}
