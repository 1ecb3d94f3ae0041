mod assemble;
mod many;
#[cfg(feature = "tls")]
mod tls;

use std::fmt;
use std::time::Duration;

use pycket_core::{Error, KeySpace};
use serde::Deserialize;

use crate::RedisStore;
use crate::address::{Address, invalid};
use crate::connection::Timeouts;
use crate::file::RedisSettingsFile;
use crate::safety::Replicas;
#[cfg(feature = "tls")]
use crate::tls::Tls;

/// The settings of a [`RedisStore`]; from [`RedisStore::builder`].
///
/// # From a file
///
/// Any serde format reads it: `url`, or `host` (`localhost`), `port` (6379), `username` and `password`;
/// then `prefix`, `db_sessions`, `db_notifications`, `max_connections`, `connect_timeout_ms`,
/// `response_timeout_ms`, `deadline_ms`, and `wait_replicas` with `wait_timeout_ms`; with the feature
/// `sentinel`, `sentinel_username` and `sentinel_password`; with the feature `tls`, the paths of PEM files:
/// `tls_authority_file`, `tls_certificate_file` and `tls_key_file`. All are optional, unknown names are
/// errors.
#[derive(Deserialize)]
#[serde(try_from = "RedisSettingsFile")]
#[must_use]
pub struct RedisStoreBuilder {
    address: Address,
    prefix: String,
    db_sessions: Option<u32>,
    db_notifications: u32,
    max_connections: usize,
    timeouts: Timeouts,
    deadline: Duration,
    replicas: Option<Replicas>,
    sentinel_user: Option<(Option<String>, String)>,
    #[cfg(feature = "tls")]
    tls: Tls,
}

impl RedisStoreBuilder {
    /// One second: a server that does not take a connection by then will not be quick either.
    pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

    /// One second: a thousand times what a healthy server takes, and still bearable for a visitor.
    pub const DEFAULT_RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);

    /// As in pycket.
    pub const DEFAULT_DB_NOTIFICATIONS: u32 = 1;

    /// A thousand: a tenth of what a server takes by default, and more than any process can use.
    pub const MAX_CONNECTIONS: usize = 1000;

    pub(crate) fn new(address: Address) -> Self {
        Self {
            address,
            prefix: KeySpace::DEFAULT_PREFIX.to_owned(),
            db_sessions: None,
            db_notifications: Self::DEFAULT_DB_NOTIFICATIONS,
            max_connections: 1,
            timeouts: Timeouts {
                connect: Self::DEFAULT_CONNECT_TIMEOUT,
                response: Self::DEFAULT_RESPONSE_TIMEOUT,
            },
            deadline: Self::DEFAULT_DEADLINE,
            replicas: None,
            sentinel_user: None,
            #[cfg(feature = "tls")]
            tls: Tls::default(),
        }
    }

    /// What every key begins with, by default `pycket:`. Keeps applications apart that share a database.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The number of the sessions' database, by default the one in the URL, which is 0 unless it says
    /// otherwise.
    pub fn db_sessions(mut self, database: u32) -> Self {
        self.db_sessions = Some(database);
        self
    }

    /// The number of the notifications' database, by default [1](Self::DEFAULT_DB_NOTIFICATIONS). It may
    /// be that of the sessions: the keys differ, too. A cluster has one database, so there it is ignored.
    pub fn db_notifications(mut self, database: u32) -> Self {
        self.db_notifications = database;
        self
    }

    /// How many connections the process keeps, 1 to [1000](Self::MAX_CONNECTIONS), by default 1. Each
    /// carries any number of concurrent requests, so one is enough until it saturates a core.
    pub fn max_connections(mut self, max_connections: usize) -> Self {
        self.max_connections = max_connections;
        self
    }

    /// How long connecting may take, the greeting included; by default
    /// [one second](Self::DEFAULT_CONNECT_TIMEOUT).
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.connect = timeout;
        self
    }

    /// How long the answer to one command may take; by default
    /// [one second](Self::DEFAULT_RESPONSE_TIMEOUT).
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.response = timeout;
        self
    }

    /// The store of the sessions. It does not connect yet: that happens on first use, so that a program
    /// may start before its store does.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`](pycket_core::ErrorKind::InvalidSetting): a URL that is none, or one that needs a
    /// feature which this build does not have; a number of connections out of range; a timeout of zero;
    /// certificates that cannot be read; a contradiction, such as a database's number for a cluster.
    pub fn build(self) -> Result<RedisStore, Error> {
        self.dataset(KeySpace::SESSIONS, self.db_sessions)
    }

    /// The store of the sessions, and the one for
    /// [`SessionManagerBuilder::notifications`](pycket_core::SessionManagerBuilder::notifications). Each has
    /// connections of its own.
    ///
    /// ```
    /// use pycket_core::SessionManager;
    /// use pycket_redis::RedisStore;
    ///
    /// let (sessions, notifications) =
    ///     RedisStore::builder("redis://127.0.0.1/").build_with_notifications()?;
    /// let manager =
    ///     SessionManager::builder(sessions).notifications(notifications).build()?;
    /// # Ok::<(), pycket_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`build`](Self::build).
    pub fn build_with_notifications(self) -> Result<(RedisStore, RedisStore), Error> {
        let notifications = self.dataset(KeySpace::NOTIFICATIONS, Some(self.db_notifications))?;
        Ok((self.build()?, notifications))
    }

    fn dataset(&self, dataset: &str, database: Option<u32>) -> Result<RedisStore, Error> {
        if !(1..=Self::MAX_CONNECTIONS).contains(&self.max_connections) {
            return Err(invalid("`max_connections` must be 1 to 1000"));
        }
        if self.timeouts.connect.is_zero() {
            return Err(invalid("`connect_timeout` must be more than zero"));
        }
        if self.timeouts.response.is_zero() {
            return Err(invalid("`response_timeout` must be more than zero"));
        }
        self.replicas.map_or(Ok(()), |replicas| many::check(replicas, self.timeouts))?;
        let servers = self.servers(database)?;
        Ok(RedisStore::new(servers, KeySpace::new(&self.prefix, dataset)))
    }
}

/// The address may hold a password.
impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder")
            .field("prefix", &self.prefix)
            .field("db_sessions", &self.db_sessions)
            .field("db_notifications", &self.db_notifications)
            .field("max_connections", &self.max_connections)
            .field("timeouts", &self.timeouts)
            .field("deadline", &self.deadline)
            .field("replicas", &self.replicas)
            .finish_non_exhaustive()
    }
}
