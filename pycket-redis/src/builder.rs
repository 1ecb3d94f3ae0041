use std::fmt;
use std::time::Duration;

use pycket_core::{Error, ErrorKind, KeySpace};
use redis::io::tcp::socket2::TcpKeepalive;
use redis::{ConnectionInfo, IntoConnectionInfo};

use crate::RedisStore;
use crate::connection::{Pool, Timeouts};

/// Routers and firewalls forget a connection that is silent for some minutes, and tell nobody.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// The settings of a [`RedisStore`]; from [`RedisStore::builder`].
#[must_use]
pub struct RedisStoreBuilder {
    url: Box<str>,
    prefix: String,
    database: Option<i64>,
    max_connections: usize,
    timeouts: Timeouts,
}

impl RedisStoreBuilder {
    /// One second: a server that does not take a connection by then will not be quick either.
    pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

    /// One second: a thousand times what a healthy server takes, and still bearable for a visitor.
    pub const DEFAULT_RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);

    /// A thousand: a tenth of what a server takes by default, and more than any process can use.
    pub const MAX_CONNECTIONS: usize = 1000;

    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.into(),
            prefix: KeySpace::DEFAULT_PREFIX.to_owned(),
            database: None,
            max_connections: 1,
            timeouts: Timeouts {
                connect: Self::DEFAULT_CONNECT_TIMEOUT,
                response: Self::DEFAULT_RESPONSE_TIMEOUT,
            },
        }
    }

    /// What every key begins with, by default `pycket:`. Keeps applications apart that share a database.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The number of the database, by default the one in the URL, which is 0 unless it says otherwise.
    pub fn database(mut self, database: u32) -> Self {
        self.database = Some(database.into());
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

    /// The store. It does not connect yet: that happens on first use, so that a program may start
    /// before its store does.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`](ErrorKind::InvalidSetting): a URL that is none, or one that asks for TLS; a
    /// number of connections out of range; a timeout of zero.
    pub fn build(self) -> Result<RedisStore, Error> {
        if !(1..=Self::MAX_CONNECTIONS).contains(&self.max_connections) {
            return Err(invalid("`max_connections` must be 1 to 1000"));
        }
        if self.timeouts.connect.is_zero() {
            return Err(invalid("`connect_timeout` must be more than zero"));
        }
        if self.timeouts.response.is_zero() {
            return Err(invalid("`response_timeout` must be more than zero"));
        }
        let client = redis::Client::open(self.connection_info()?)
            .map_err(|source| invalid("the Redis settings are not usable").with_source(source))?;
        let keys = KeySpace::new(&self.prefix, KeySpace::SESSIONS);
        Ok(RedisStore::new(Pool::new(client, self.timeouts, self.max_connections), keys))
    }

    fn connection_info(&self) -> Result<ConnectionInfo, Error> {
        if asks_for_tls(&self.url) {
            return Err(invalid("this version connects without TLS; use a redis:// URL"));
        }
        // The parser's own error is no source: it may repeat the URL, and with it a password.
        let info = (&*self.url).into_connection_info().map_err(|_| {
            invalid("the Redis URL is not valid; expected redis://[user:password@]host[:port][/database]")
        })?;
        let tcp = info
            .tcp_settings()
            .clone()
            // Requests are small and each waits for its answer: nothing is gained by holding them back.
            .set_nodelay(true)
            .set_keepalive(TcpKeepalive::new().with_time(KEEPALIVE));
        let settings = info.redis_settings().clone();
        let settings = match self.database {
            Some(database) => settings.set_db(database),
            None => settings,
        };
        Ok(info.set_tcp_settings(tcp).set_redis_settings(settings))
    }
}

fn asks_for_tls(url: &str) -> bool {
    let url = redis::parse_redis_url(url);
    url.is_some_and(|url| matches!(url.scheme(), "rediss" | "valkeys"))
}

/// The URL may hold a password.
impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder")
            .field("prefix", &self.prefix)
            .field("database", &self.database)
            .field("max_connections", &self.max_connections)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidSetting, message)
}
