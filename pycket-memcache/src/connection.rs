mod client;
mod item_limit;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
use tokio::task::AbortHandle;
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
pub(crate) struct Pool {
    addr: NodeAddr,
    settings: ConnectionSettings,
    permits: Semaphore,
    server: Mutex<Option<Arc<Server>>>,
}

/// The server that the address leads to. It is looked up again after a failure, and may be another one then.
struct Server {
    client: Client,
    item_limit: OnceCell<usize>,
}

/// The permission to use one connection.
struct Connection<'p> {
    pool: &'p Pool,
    server: Arc<Server>,
    _permit: Option<SemaphorePermit<'p>>,
}

impl Pool {
    pub(crate) fn new(addr: NodeAddr, settings: ConnectionSettings) -> Arc<Self> {
        let permits = Semaphore::new(settings.max_connections);
        Arc::new(Self { addr, settings, permits, server: Mutex::default() })
    }

    pub(crate) fn addr(&self) -> &NodeAddr {
        &self.addr
    }

    /// Reads an item. Repeats the request once if the connection breaks.
    pub(crate) async fn get(self: &Arc<Self>, key: &Arc<str>) -> Result<Option<Fetched>, Failure> {
        match self.get_once(key).await {
            Err(Failure::NotDone(error)) if is_break(&error) => self.get_once(key).await,
            answer => answer,
        }
    }

    async fn get_once(self: &Arc<Self>, key: &Arc<str>) -> Result<Option<Fetched>, Failure> {
        let (pool, key) = (self.clone(), key.clone());
        in_task(async move {
            let connection = pool.connection().await?;
            connection.done(connection.server.client.get(&key).await)
        })
        .await
    }

    pub(crate) async fn write(
        self: &Arc<Self>,
        key: &Arc<str>,
        write: Write,
    ) -> Result<Written, Failure> {
        let (pool, key) = (self.clone(), key.clone());
        in_task(async move {
            let connection = pool.connection().await?;
            if let Write::Add(item) | Write::Replace(item, _) = &write {
                connection.check_size(&key, &item.bytes).await?;
            }
            connection.done(connection.server.client.write(&key, &write).await)
        })
        .await
    }

    async fn connection(&self) -> Result<Connection<'_>, Failure> {
        within(self.settings.connect_timeout, async {
            // `acquire` fails only after `Semaphore::close`, which is never called.
            let permit = self.permits.acquire().await.ok();
            let known = self.server().clone();
            let server = match known {
                Some(server) => server,
                None => self.look_up().await?,
            };
            Ok(Connection { pool: self, server, _permit: permit })
        })
        .await
    }

    async fn look_up(&self) -> Result<Arc<Server>, Failure> {
        let client = Client::new(self.addr.as_str(), &self.settings).await?;
        let new = || Arc::new(Server { client, item_limit: OnceCell::new() });
        Ok(self.server().get_or_insert_with(new).clone())
    }

    fn server(&self) -> MutexGuard<'_, Option<Arc<Server>>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection<'_> {
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

    /// After a failure, the next request looks up the server again.
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

/// Runs the request in a task, which ends if the caller is dropped.
async fn in_task<T: Send + 'static>(
    request: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    let task = tokio::spawn(request);
    let _guard = AbortOnDrop(task.abort_handle());
    task.await.unwrap_or_else(|error| Err(Failure::Unanswered(error.into())))
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    timeout(limit, work).await.unwrap_or_else(|error| Err(Failure::NotDone(error.into())))
}
