use std::sync::Arc;
use std::time::Duration;

use pycket_core::{Clock, Error, ErrorKind, KeySpace, SystemClock};
use serde::Deserialize;

use crate::MemcacheStore;
use crate::address::Address;
use crate::file::MemcacheSettingsFile;
use crate::server::Limits;
use crate::servers::Servers;

/// As good as for ever, and still a time that can be added to the present one.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The settings of a [`MemcacheStore`]; from [`MemcacheStore::builder`].
///
/// # From a file
///
/// Any serde format reads it: `servers` (one, or a list), `prefix`, `max_connections`,
/// `connect_timeout_ms`, `response_timeout_ms` and `deadline_ms`. All are optional, unknown names are
/// errors.
#[derive(Debug, Deserialize)]
#[serde(from = "MemcacheSettingsFile")]
#[must_use]
pub struct MemcacheStoreBuilder {
    servers: Vec<String>,
    prefix: String,
    limits: Limits,
    clock: Arc<dyn Clock>,
}

impl MemcacheStoreBuilder {
    /// One second: a server that does not take a connection by then will not be quick either.
    pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

    /// One second: a thousand times what a healthy server takes, and still bearable for a visitor.
    pub const DEFAULT_RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);

    /// Five seconds: longer than it takes hundreds of requests to write one session one after the other.
    pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

    /// Sixteen: a connection carries one request at a time, for a fraction of a millisecond.
    pub const DEFAULT_MAX_CONNECTIONS: usize = 16;

    /// A thousand: about what a server takes from all its clients by default.
    pub const MAX_CONNECTIONS: usize = 1000;

    /// 200 bytes, so that the key, with what comes behind the prefix, fits into the 250 of memcached.
    pub const MAX_PREFIX_LEN: usize = 200;

    pub(crate) fn new() -> Self {
        Self {
            servers: vec!["localhost".to_owned()],
            prefix: KeySpace::DEFAULT_PREFIX.to_owned(),
            limits: Limits {
                max_connections: Self::DEFAULT_MAX_CONNECTIONS,
                connect_timeout: Self::DEFAULT_CONNECT_TIMEOUT,
                response_timeout: Self::DEFAULT_RESPONSE_TIMEOUT,
                deadline: Self::DEFAULT_DEADLINE,
            },
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// The servers that share the sessions, by default `localhost:11211` alone: each `host`, `host:port`
    /// or `[IPv6 address]:port`, where the port is 11211 unless given.
    ///
    /// The spelling decides which session is where, the order does not: write the list in the same words
    /// on every server of the application. Whoever changes it ends the sessions that belong elsewhere
    /// from then on.
    pub fn servers<S: Into<String>>(mut self, servers: impl IntoIterator<Item = S>) -> Self {
        self.servers = servers.into_iter().map(Into::into).collect();
        self
    }

    /// What every key begins with, by default `pycket:`. Keeps applications apart that share a server.
    /// At most [200 bytes](Self::MAX_PREFIX_LEN), without spaces and control characters.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How many connections the process has to each server at most, 1 to
    /// [1000](Self::MAX_CONNECTIONS), by default [16](Self::DEFAULT_MAX_CONNECTIONS). Each carries one
    /// request at a time; who finds none free waits for one as long as connecting may take.
    pub fn max_connections(mut self, max_connections: usize) -> Self {
        self.limits.max_connections = max_connections;
        self
    }

    /// How long connecting may take, the look-up of the name included; by default
    /// [one second](Self::DEFAULT_CONNECT_TIMEOUT).
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.limits.connect_timeout = timeout;
        self
    }

    /// How long the answer to one request may take; by default
    /// [one second](Self::DEFAULT_RESPONSE_TIMEOUT).
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.limits.response_timeout = timeout;
        self
    }

    /// How long an operation goes on trying while other writers of the same session come first; then it
    /// is an error of kind [`Conflict`](ErrorKind::Conflict). By default
    /// [five seconds](Self::DEFAULT_DEADLINE).
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.limits.deadline = deadline;
        self
    }

    /// Takes the time from `clock` instead of the machine. It decides the moment within a second, or
    /// within the last ten, in which a session ends.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The store of the sessions. It does not connect yet: that happens on first use, so that a program
    /// may start before its store does.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`](ErrorKind::InvalidSetting): no server, one that is not valid, or one twice; a
    /// prefix that memcached would not take; a number of connections out of range; a time of zero.
    pub fn build(self) -> Result<MemcacheStore, Error> {
        self.dataset(KeySpace::SESSIONS)
    }

    /// The store of the sessions, and the one for
    /// [`SessionManagerBuilder::notifications`](pycket_core::SessionManagerBuilder::notifications): the same
    /// servers under other keys. Each has connections of its own.
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
        if !(1..=Self::MAX_CONNECTIONS).contains(&self.limits.max_connections) {
            return Err(invalid("`max_connections` must be 1 to 1000"));
        }
        let mut limits = self.limits;
        for (name, time) in [
            ("connect_timeout", &mut limits.connect_timeout),
            ("response_timeout", &mut limits.response_timeout),
            ("deadline", &mut limits.deadline),
        ] {
            if time.is_zero() {
                return Err(invalid(format!("`{name}` must be more than zero")));
            }
            *time = LONGEST.min(*time);
        }
        check_prefix(&self.prefix)?;
        let servers = Servers::new(addresses(&self.servers)?, limits);
        Ok(MemcacheStore::new(servers, KeySpace::new(&self.prefix, dataset), self.clock.clone()))
    }
}

fn check_prefix(prefix: &str) -> Result<(), Error> {
    if prefix.len() > MemcacheStoreBuilder::MAX_PREFIX_LEN {
        return Err(invalid("`prefix` must be at most 200 bytes long"));
    }
    if prefix.chars().any(|character| character.is_whitespace() || character.is_control()) {
        return Err(invalid("`prefix` must not contain spaces or control characters"));
    }
    Ok(())
}

fn addresses(servers: &[String]) -> Result<Vec<Address>, Error> {
    let mut addresses = Vec::with_capacity(servers.len());
    for server in servers {
        let address: Address = server.parse()?;
        if addresses.contains(&address) {
            return Err(invalid("`servers` must name every server once"));
        }
        addresses.push(address);
    }
    if addresses.is_empty() {
        return Err(invalid("`servers` must name at least one server"));
    }
    Ok(addresses)
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidSetting, message)
}
