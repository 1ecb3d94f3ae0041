use std::sync::Arc;
use std::time::Duration;

use pycket_core::{Clock, Error, KeySpace, SystemClock, driver};
use serde::{Deserialize, Deserializer};

use crate::MemcacheStore;
use crate::connection::ConnectionSettings;
use crate::node_addr::NodeAddr;
use crate::retry::RetryLocks;
use crate::servers::Servers;

/// The settings of a [`MemcacheStore`]; from [`MemcacheStore::builder`].
///
/// # From a file
///
/// Any serde format reads it: `servers` (a string or a list of strings), `prefix`, `max_connections`,
/// `max_response_bytes`, `connect_timeout_ms`, `response_timeout_ms` and `deadline_ms`. All are optional. An unknown
/// name is an error.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct MemcacheStoreBuilder {
    #[serde(deserialize_with = "one_or_many")]
    servers: Vec<String>,
    prefix: String,
    max_connections: usize,
    max_response_bytes: usize,
    #[serde(rename = "connect_timeout_ms", deserialize_with = "driver::deserialize_millis")]
    connect_timeout: Duration,
    #[serde(rename = "response_timeout_ms", deserialize_with = "driver::deserialize_millis")]
    response_timeout: Duration,
    #[serde(rename = "deadline_ms", deserialize_with = "driver::deserialize_millis")]
    deadline: Duration,
    #[serde(skip)]
    clock: Arc<dyn Clock>,
}

impl MemcacheStoreBuilder {
    /// One second. A server that takes longer to accept a connection will not answer quickly either.
    pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

    /// One second: a thousand times what a healthy server takes, and still bearable for a user.
    pub const DEFAULT_RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);

    /// Five seconds. In that time hundreds of requests can write one session, one after the other.
    pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

    /// One. It carries any number of concurrent requests, and fewer connections write and read more of them at once.
    pub const DEFAULT_MAX_CONNECTIONS: usize = 1;

    /// A thousand: about what a server accepts from all its clients by default.
    pub const MAX_CONNECTIONS: usize = 1000;

    /// 64 MiB: far more than a session needs, and a process can hold several.
    pub const DEFAULT_MAX_RESPONSE_BYTES: usize = 64 << 20;

    /// 1 GiB: the largest item limit that memcached allows.
    pub const MAX_RESPONSE_BYTES: usize = 1 << 30;

    /// 200 bytes. The prefix and the rest of the key must fit into the 250 bytes that memcached allows.
    pub const MAX_PREFIX_LEN: usize = 200;

    /// The servers that share the sessions, by default only `localhost:11211`. Each is `host`, `host:port` or
    /// `[IPv6 address]:port`. The default port is 11211.
    ///
    /// The spelling of the addresses decides which server holds a session, so write the same addresses on every
    /// server of the application. Their order does not matter. A change of the list ends the sessions that
    /// belong to another server from then on.
    pub fn servers<S: Into<String>>(mut self, servers: impl IntoIterator<Item = S>) -> Self {
        self.servers = servers.into_iter().map(Into::into).collect();
        self
    }

    /// The start of every key, by default `pycket:`. It separates applications that share a server. At most
    /// [200 bytes](Self::MAX_PREFIX_LEN), without spaces and control characters.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Maximum number of connections of this process to each server: 1 to [1000](Self::MAX_CONNECTIONS), by
    /// default [1](Self::DEFAULT_MAX_CONNECTIONS). Each carries any number of concurrent requests, so one is enough
    /// until it keeps a processor busy.
    pub fn max_connections(mut self, max_connections: usize) -> Self {
        self.max_connections = max_connections;
        self
    }

    /// Maximum size of an item that the driver reads or writes, 1 MiB to [1 GiB](Self::MAX_RESPONSE_BYTES), by default
    /// [64 MiB](Self::DEFAULT_MAX_RESPONSE_BYTES). A session is one item. If it is larger, or the server announces a
    /// larger one, the call fails with [`TooLarge`](pycket_core::ErrorKind::TooLarge).
    pub fn max_response_bytes(mut self, max_response_bytes: usize) -> Self {
        self.max_response_bytes = max_response_bytes;
        self
    }

    /// Limits how long connecting may take, with the lookup of the server's name. By default
    /// [one second](Self::DEFAULT_CONNECT_TIMEOUT).
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Limits how long the answer to one request may take. By default
    /// [one second](Self::DEFAULT_RESPONSE_TIMEOUT).
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// Limits how long an operation is retried while other writers of the same session come first. After that it
    /// fails with [`Conflict`](pycket_core::ErrorKind::Conflict), and a renewal with
    /// [`Ambiguous`](pycket_core::ErrorKind::Ambiguous). By default
    /// [five seconds](Self::DEFAULT_DEADLINE).
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Replaces the system clock, for tests. memcached counts whole seconds; the clock decides when exactly a
    /// session ends.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Builds the store of the sessions. It connects on first use, so a program may start before its servers.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`](pycket_core::ErrorKind::InvalidSetting) if there is no server, an invalid one or one
    /// twice, if memcached does not allow the prefix, if the number of connections or `max_response_bytes` is out of
    /// range, or if a timeout or the deadline is zero.
    pub fn build(self) -> Result<MemcacheStore, Error> {
        self.dataset(KeySpace::SESSIONS)
    }

    /// Builds the store of the sessions, and one for
    /// [`SessionManagerBuilder::notifications`](pycket_core::SessionManagerBuilder::notifications). Both use the
    /// same servers with different keys. Each has its own connections. This is optional: by default, a manager keeps
    /// its notifications in the store of the sessions.
    ///
    /// ```
    /// use pycket_core::SessionManager;
    /// use pycket_memcache::MemcacheStore;
    ///
    /// let (sessions, notifications) = MemcacheStore::builder().build_with_notifications()?;
    /// let manager =
    ///     SessionManager::builder(sessions).notifications(notifications).build()?;
    /// # Ok::<(), pycket_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`build`](Self::build).
    pub fn build_with_notifications(self) -> Result<(MemcacheStore, MemcacheStore), Error> {
        Ok((self.dataset(KeySpace::SESSIONS)?, self.dataset(KeySpace::NOTIFICATIONS)?))
    }

    fn dataset(&self, dataset: &str) -> Result<MemcacheStore, Error> {
        driver::check_range("max_connections", self.max_connections, 1..=Self::MAX_CONNECTIONS)?;
        let range = 1 << 20..=Self::MAX_RESPONSE_BYTES;
        driver::check_range("max_response_bytes", self.max_response_bytes, range)?;
        let connect_timeout = driver::check_timeout("connect_timeout", self.connect_timeout)?;
        let settings = ConnectionSettings {
            max_connections: self.max_connections,
            max_response_bytes: self.max_response_bytes,
            connect_timeout,
            response_timeout: driver::check_timeout("response_timeout", self.response_timeout)?,
        };
        let deadline = driver::check_timeout("deadline", self.deadline)?;
        let retry_locks = RetryLocks::new(deadline, connect_timeout);
        check_prefix(&self.prefix)?;
        let no_server = || driver::invalid_setting("`servers` must name at least one server");
        let servers = Servers::new(node_addrs(&self.servers)?, settings).ok_or_else(no_server)?;
        let keys = KeySpace::new(&self.prefix, dataset);
        Ok(MemcacheStore { servers, keys, retry_locks, clock: self.clock.clone() })
    }
}

fn check_prefix(prefix: &str) -> Result<(), Error> {
    if prefix.len() > MemcacheStoreBuilder::MAX_PREFIX_LEN {
        return Err(driver::invalid_setting("`prefix` must be at most 200 bytes long"));
    }
    if prefix.chars().any(|character| character.is_whitespace() || character.is_control()) {
        let message = "`prefix` must not contain spaces or control characters";
        return Err(driver::invalid_setting(message));
    }
    Ok(())
}

fn node_addrs(servers: &[String]) -> Result<Vec<NodeAddr>, Error> {
    let mut addrs = Vec::with_capacity(servers.len());
    for server in servers {
        let addr: NodeAddr = server.parse()?;
        if addrs.contains(&addr) {
            return Err(driver::invalid_setting("`servers` must name every server once"));
        }
        addrs.push(addr);
    }
    Ok(addrs)
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "`servers` must be a string or a list of strings")]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    OneOrMany::deserialize(deserializer).map(|servers| match servers {
        OneOrMany::One(server) => vec![server],
        OneOrMany::Many(servers) => servers,
    })
}

impl Default for MemcacheStoreBuilder {
    fn default() -> Self {
        Self {
            servers: vec!["localhost".to_owned()],
            prefix: KeySpace::DEFAULT_PREFIX.to_owned(),
            max_connections: Self::DEFAULT_MAX_CONNECTIONS,
            max_response_bytes: Self::DEFAULT_MAX_RESPONSE_BYTES,
            connect_timeout: Self::DEFAULT_CONNECT_TIMEOUT,
            response_timeout: Self::DEFAULT_RESPONSE_TIMEOUT,
            deadline: Self::DEFAULT_DEADLINE,
            clock: Arc::new(SystemClock::new()),
        }
    }
}
