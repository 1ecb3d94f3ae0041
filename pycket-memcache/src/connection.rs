mod driver;
pub(crate) mod protocol;

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::{Access, Failure};
use crate::node_addr::NodeAddr;
use driver::Connection;
pub(crate) use protocol::{Fetched, Write, Written};
use protocol::{Reply, Request};

/// The settings of the connections to every server.
#[derive(Clone, Copy)]
pub(crate) struct ConnectionSettings {
    pub(crate) max_connections: usize,
    pub(crate) max_response_bytes: usize,
    pub(crate) connect_timeout: Duration,
    pub(crate) response_timeout: Duration,
}

/// No memcached has a smaller item limit.
const MIN_ITEM_LIMIT: usize = 1024;

/// The item limit of memcached by default. Used for servers and proxies that do not report theirs.
const DEFAULT_ITEM_LIMIT: usize = 1024 * 1024;

/// What memcached adds to the key and the value: 59 bytes, more in other versions. With the key, it is also more than
/// touches append.
const OVERHEAD: usize = 100;

/// The connections of this process to one server. They connect on first use and are replaced when they break. Each
/// looks up the server again, which may be another one then.
pub(crate) struct Pool {
    addr: NodeAddr,
    settings: ConnectionSettings,
    connections: Mutex<Box<[Option<Connection>]>>,
    next: AtomicUsize,
    /// Zero if it is not known.
    item_limit: AtomicUsize,
}

impl Pool {
    pub(crate) fn new(addr: NodeAddr, settings: ConnectionSettings) -> Self {
        let connections = (0..settings.max_connections).map(|_| None).collect();
        let (next, item_limit) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { addr, settings, connections: Mutex::new(connections), next, item_limit }
    }

    pub(crate) fn addr(&self) -> &NodeAddr {
        &self.addr
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<Fetched>, Failure> {
        self.send(Access::Read, || Request::get(key), Reply::fetched).await
    }

    pub(crate) async fn write(&self, key: &str, write: &Write) -> Result<Written, Failure> {
        if let Write::Add(item) | Write::Replace(item, _) = write {
            self.check_size(key.len() + item.bytes.len() + OVERHEAD).await?;
        }
        let request = || Request::write(key, write);
        match self.send(Access::Write, request, |reply| reply.written(write)).await {
            // A write has no value as its reply.
            Err(Failure::TooLarge) => Err(protocol::unexpected()),
            written => written,
        }
    }

    /// When memcached refuses an item because of its size, it removes the old item. So the size is checked before.
    async fn check_size(&self, size: usize) -> Result<(), Failure> {
        if size <= MIN_ITEM_LIMIT {
            return Ok(());
        }
        let mut limit = self.item_limit.load(Ordering::Relaxed);
        if limit == 0 {
            limit = match self.send(Access::Read, Request::item_limit, Reply::item_limit).await {
                Err(Failure::Rejected(_) | Failure::ServerError(_)) => DEFAULT_ITEM_LIMIT,
                Err(Failure::Unanswered(error)) => return Err(Failure::NotDone(error)),
                limit => limit?.unwrap_or(DEFAULT_ITEM_LIMIT),
            };
            self.item_limit.store(limit, Ordering::Relaxed);
        }
        let limit = limit.min(self.settings.max_response_bytes);
        if size <= limit { Ok(()) } else { Err(Failure::TooLarge) }
    }

    /// Repeats the request once if the connection breaks, and the request was not sent or only reads.
    async fn send<T>(
        &self,
        access: Access,
        request: impl Fn() -> Request,
        read: impl Fn(Reply) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        match self.send_once(request(), &read).await {
            Err(Failure::NotDone(error)) if is_break(&error) => {}
            Err(Failure::Unanswered(error)) if is_break(&error) && access == Access::Read => {}
            answer => return answer,
        }
        self.send_once(request(), &read).await
    }

    async fn send_once<T>(
        &self,
        request: Request,
        read: impl Fn(Reply) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (index, connection) = self.connection();
        let answer = connection.send(request).await.and_then(read);
        match answer {
            Err(Failure::Unanswered(_) | Failure::ServerError(_)) => {
                self.item_limit.store(0, Ordering::Relaxed);
                if let Some(place) = self.connections().get_mut(index) {
                    place.take_if(|now| now.is_same(&connection));
                }
            }
            // The connection is closed already, or it is only busy.
            Err(Failure::NotDone(_)) => self.item_limit.store(0, Ordering::Relaxed),
            _ => {}
        }
        answer
    }

    /// The next connection in turn. Opens one if there is none.
    fn connection(&self) -> (usize, Connection) {
        let open = || Connection::open(self.addr.as_str().to_owned(), self.settings);
        let mut connections = self.connections();
        let index = self.next.fetch_add(1, Ordering::Relaxed) % connections.len();
        let Some(place) = connections.get_mut(index) else { return (index, open()) };
        place.take_if(|connection| connection.is_closed());
        (index, place.get_or_insert_with(open).clone())
    }

    fn connections(&self) -> MutexGuard<'_, Box<[Option<Connection>]>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_break(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    !matches!(error.kind(), Kind::TimedOut | Kind::ConnectionRefused | Kind::InvalidData)
}
