use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::address::Address;
use crate::client::{Client, Item, Swap};
use crate::error::Failure;
use crate::item_limit;
use crate::race::{Race, Turns};

/// What the process allows itself towards each server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_connections: usize,
    pub(crate) connect_timeout: Duration,
    pub(crate) response_timeout: Duration,
    pub(crate) deadline: Duration,
}

/// One server, and all that the process knows of it.
pub(crate) struct Server {
    address: Address,
    limits: Limits,
    connections: Semaphore,
    turns: Turns,
    link: Mutex<Option<Arc<Link>>>,
}

/// What is known until something goes wrong: then the server may be another one, at another address.
struct Link {
    client: Client,
    item_limit: OnceCell<usize>,
}

/// The right to use one connection.
struct Lease<'s> {
    server: &'s Server,
    link: Arc<Link>,
    _connection: SemaphorePermit<'s>,
}

impl Server {
    pub(crate) fn new(address: Address, limits: Limits) -> Self {
        let connections = Semaphore::new(limits.max_connections);
        Self { address, limits, connections, turns: Turns::new(), link: Mutex::default() }
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) fn race(&self, hash: u64) -> Race<'_> {
        self.turns.race(hash, self.limits.deadline)
    }

    /// Reading twice does no harm, so a connection that turns out to be broken costs no error.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Item>, Failure> {
        match self.get_once(key).await {
            Err(Failure::NotDone(error)) if is_break(&error) => self.get_once(key).await,
            answer => answer,
        }
    }

    pub(crate) async fn add(&self, key: &str, bytes: &[u8], exptime: u32) -> Result<Swap, Failure> {
        let lease = self.lease().await?;
        lease.check_size(key, bytes).await?;
        lease.end(lease.link.client.add(key, bytes, exptime).await)
    }

    pub(crate) async fn replace(
        &self,
        key: &str,
        bytes: &[u8],
        exptime: u32,
        cas: u64,
    ) -> Result<Swap, Failure> {
        let lease = self.lease().await?;
        lease.check_size(key, bytes).await?;
        lease.end(lease.link.client.replace(key, bytes, exptime, cas).await)
    }

    pub(crate) async fn renew_and_append(
        &self,
        key: &str,
        bytes: &[u8],
        exptime: u32,
        cas: u64,
    ) -> Result<Swap, Failure> {
        let lease = self.lease().await?;
        lease.end(lease.link.client.renew_and_append(key, bytes, exptime, cas).await)
    }

    pub(crate) async fn delete(&self, key: &str, cas: u64) -> Result<Swap, Failure> {
        let lease = self.lease().await?;
        lease.end(lease.link.client.delete(key, cas).await)
    }

    async fn get_once(&self, key: &str) -> Result<Option<Item>, Failure> {
        let lease = self.lease().await?;
        lease.end(lease.link.client.get(key).await)
    }

    async fn lease(&self) -> Result<Lease<'_>, Failure> {
        let connection = within(self.limits.connect_timeout, self.connections.acquire()).await?;
        let connection = connection.map_err(|_| not_done(io::ErrorKind::BrokenPipe))?;
        let current = self.link().clone();
        let link = match current {
            Some(link) => link,
            None => self.connect().await?,
        };
        Ok(Lease { server: self, link, _connection: connection })
    }

    async fn connect(&self) -> Result<Arc<Link>, Failure> {
        let client = Client::new(self.address.as_str(), &self.limits);
        let client = within(self.limits.connect_timeout, client).await??;
        let new = || Arc::new(Link { client, item_limit: OnceCell::new() });
        Ok(self.link().get_or_insert_with(new).clone())
    }

    fn link(&self) -> MutexGuard<'_, Option<Arc<Link>>> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease<'_> {
    async fn check_size(&self, key: &str, bytes: &[u8]) -> Result<(), Failure> {
        let size = item_limit::size_of(key, bytes);
        if size <= item_limit::SMALLEST {
            return Ok(());
        }
        let limit = self.link.item_limit.get_or_try_init(|| self.ask_for_item_limit()).await?;
        if size <= *limit { Ok(()) } else { Err(Failure::TooLarge) }
    }

    async fn ask_for_item_limit(&self) -> Result<usize, Failure> {
        let Limits { connect_timeout, response_timeout, .. } = self.server.limits;
        let asked = item_limit::ask(self.server.address.as_str());
        within(connect_timeout + response_timeout, asked).await?.map_err(Failure::NotDone)
    }

    /// After a failure all that was known is forgotten, unless another request already has.
    fn end<T>(&self, answer: Result<T, Failure>) -> Result<T, Failure> {
        if let Err(Failure::NotDone(_) | Failure::Unknown(_) | Failure::Failed(_)) = answer {
            let mut current = self.server.link();
            if current.as_ref().is_some_and(|link| Arc::ptr_eq(link, &self.link)) {
                *current = None;
            }
        }
        answer
    }
}

fn is_break(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    !matches!(error.kind(), Kind::TimedOut | Kind::ConnectionRefused | Kind::InvalidData)
}

async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Result<T, Failure> {
    timeout(limit, future).await.map_err(|_| not_done(io::ErrorKind::TimedOut))
}

fn not_done(kind: io::ErrorKind) -> Failure {
    Failure::NotDone(kind.into())
}
