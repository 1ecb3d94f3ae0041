mod client;
mod item_limit;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::error::Failure;
use crate::node_addr::NodeAddr;
use client::Client;
pub(crate) use client::{Fetched, Write, Written};

/// The settings of the connections to every server.
#[derive(Clone, Copy)]
pub(crate) struct ConnectionSettings {
    pub(crate) max_connections: usize,
    pub(crate) connect_timeout: Duration,
    pub(crate) response_timeout: Duration,
}

/// The connections of this process to one server. They connect on first use and are replaced when they break.
///
/// Each request runs in a task of its own, which also connects. So a caller that is no longer polled holds no
/// connection and delays no other caller.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    addr: NodeAddr,
    settings: ConnectionSettings,
    permits: Arc<Semaphore>,
    server: Mutex<Option<Arc<ResolvedServer>>>,
}

/// The server that the address leads to. Looked up again after a failure: it may be another one by then.
struct ResolvedServer {
    client: Client,
    item_limit: OnceCell<usize>,
}

/// The permission to use one connection.
struct Connection {
    pool: Arc<Shared>,
    server: Arc<ResolvedServer>,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(crate) fn new(addr: NodeAddr, settings: ConnectionSettings) -> Self {
        let permits = Arc::new(Semaphore::new(settings.max_connections));
        Self(Arc::new(Shared { addr, settings, permits, server: Mutex::default() }))
    }

    pub(crate) fn addr(&self) -> &NodeAddr {
        &self.0.addr
    }

    /// Reads an item. Repeats the request once if the connection breaks.
    pub(crate) async fn get(&self, key: &Arc<str>) -> Result<Option<Fetched>, Failure> {
        match self.get_once(key).await {
            Err(Failure::NotDone(error)) if is_break(&error) => self.get_once(key).await,
            answer => answer,
        }
    }

    async fn get_once(&self, key: &Arc<str>) -> Result<Option<Fetched>, Failure> {
        let (pool, key) = (self.0.clone(), key.clone());
        in_task(async move {
            let connection = pool.connection().await?;
            connection.done(connection.server.client.get(&key).await)
        })
        .await
    }

    pub(crate) async fn write(&self, key: &Arc<str>, write: Write) -> Result<Written, Failure> {
        let (pool, key) = (self.0.clone(), key.clone());
        in_task(async move {
            let connection = pool.connection().await?;
            if let Write::Add { bytes, .. } | Write::Replace { bytes, .. } = &write {
                connection.check_size(&key, bytes).await?;
            }
            connection.done(connection.server.client.write(&key, &write).await)
        })
        .await
    }
}

/// Ends the task if the caller is dropped.
async fn in_task<T: Send + 'static>(
    request: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    let mut task = JoinSet::new();
    task.spawn(request);
    let ended = || Failure::Unanswered(io::Error::other("the task of the request ended"));
    task.join_next().await.and_then(Result::ok).unwrap_or_else(|| Err(ended()))
}

impl Shared {
    async fn connection(self: Arc<Self>) -> Result<Connection, Failure> {
        let limit = self.settings.connect_timeout;
        within(limit, async {
            let permit = self.permits.clone().acquire_owned().await;
            let permit = permit.map_err(|_| not_done(io::ErrorKind::BrokenPipe))?;
            let server = self.server().clone();
            let server = match server {
                Some(server) => server,
                None => self.resolve().await?,
            };
            Ok(Connection { pool: self.clone(), server, _permit: permit })
        })
        .await
    }

    async fn resolve(&self) -> Result<Arc<ResolvedServer>, Failure> {
        let client = Client::new(self.addr.as_str(), &self.settings).await?;
        let new = || Arc::new(ResolvedServer { client, item_limit: OnceCell::new() });
        Ok(self.server().get_or_insert_with(new).clone())
    }

    fn server(&self) -> MutexGuard<'_, Option<Arc<ResolvedServer>>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    async fn check_size(&self, key: &str, bytes: &[u8]) -> Result<(), Failure> {
        let size = item_limit::size_of(key, bytes);
        if size <= item_limit::SMALLEST {
            return Ok(());
        }
        let ConnectionSettings { connect_timeout, response_timeout, .. } = self.pool.settings;
        let limit = within(connect_timeout + response_timeout, async {
            let request = || item_limit::request(self.pool.addr.as_str());
            self.server.item_limit.get_or_try_init(request).await.map_err(Failure::NotDone)
        });
        if size <= *limit.await? { Ok(()) } else { Err(Failure::TooLarge) }
    }

    /// After a failure the next request looks up the server again, unless another request already has.
    fn done<T>(&self, answer: Result<T, Failure>) -> Result<T, Failure> {
        if let Err(Failure::NotDone(_) | Failure::Unanswered(_) | Failure::ServerError(_)) = answer
        {
            self.pool.server().take_if(|server| Arc::ptr_eq(server, &self.server));
        }
        answer
    }
}

fn is_break(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    !matches!(error.kind(), Kind::TimedOut | Kind::ConnectionRefused | Kind::InvalidData)
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    timeout(limit, work).await.unwrap_or_else(|_| Err(not_done(io::ErrorKind::TimedOut)))
}

fn not_done(kind: io::ErrorKind) -> Failure {
    Failure::NotDone(kind.into())
}
