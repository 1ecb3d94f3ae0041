mod build;
mod file;
mod secret;

use std::fmt;
use std::time::Duration;

use pycket_core::KeySpace;
use serde::Deserialize;

use self::file::RedisSettingsFile;
use crate::address::Endpoint;
#[cfg(feature = "tls")]
use crate::connection::Certificates;
use crate::connection::Timeouts;
use crate::credentials::{Credentials, Provider, ProviderResult};
use crate::topology::ReplicaAcks;

/// The settings of a [`RedisStore`](crate::RedisStore), from [`RedisStore::builder`](crate::RedisStore::builder).
///
/// # From a file
///
/// Any serde format can be read: `url`, or `host` (`localhost`), `port` (6379), `username` and `password`;
/// then `prefix`, `db_sessions`, `db_notifications`, `max_connections`,
/// `max_response_bytes`, `connect_timeout_ms`, `response_timeout_ms`, `deadline_ms`, `wait_replicas` with `wait_timeout_ms`, `sentinel_username` and
/// `sentinel_password`; with the feature `tls`, the paths of PEM files: `tls_authority_file`,
/// `tls_certificate_file` and `tls_key_file`. All are optional. An unknown name is an error.
#[derive(Deserialize)]
#[serde(try_from = "RedisSettingsFile")]
#[must_use]
pub struct RedisStoreBuilder {
    address: Address,
    prefix: String,
    db_sessions: Option<u32>,
    db_notifications: u32,
    max_connections: usize,
    max_response_bytes: usize,
    timeouts: Timeouts,
    deadline: Duration,
    replica_acks: Option<ReplicaAcks>,
    credentials: Option<Provider>,
    sentinel_login: Option<Credentials>,
    #[cfg(feature = "tls")]
    certificates: Certificates,
}

/// The server or servers. Both forms may contain a password.
pub(crate) enum Address {
    Url(Box<str>),
    Single(Endpoint),
}

impl RedisStoreBuilder {
    /// One second: a server that accepts no connection by then will not answer quickly either.
    pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

    /// One second: a thousand times what a healthy server needs, and still acceptable for a user.
    pub const DEFAULT_RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);

    /// Two seconds: longer than most restarts, and still acceptable for a user.
    pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(2);

    /// As in pycket.
    pub const DEFAULT_DB_NOTIFICATIONS: u32 = 1;

    /// 1000: a tenth of what a server accepts by default, and more than a process can use.
    pub const MAX_CONNECTIONS: usize = 1000;

    /// 64 MiB: far more than a session needs, and a process can hold several.
    pub const DEFAULT_MAX_RESPONSE_BYTES: usize = 64 << 20;

    /// 512 MiB: the largest value that a server accepts by default.
    pub const MAX_RESPONSE_BYTES: usize = 512 << 20;

    pub(crate) fn new(address: Address) -> Self {
        Self {
            address,
            prefix: KeySpace::DEFAULT_PREFIX.to_owned(),
            db_sessions: None,
            db_notifications: Self::DEFAULT_DB_NOTIFICATIONS,
            max_connections: 1,
            max_response_bytes: Self::DEFAULT_MAX_RESPONSE_BYTES,
            timeouts: Timeouts {
                connect: Self::DEFAULT_CONNECT_TIMEOUT,
                response: Self::DEFAULT_RESPONSE_TIMEOUT,
            },
            deadline: Self::DEFAULT_DEADLINE,
            replica_acks: None,
            credentials: None,
            sentinel_login: None,
            #[cfg(feature = "tls")]
            certificates: Certificates::default(),
        }
    }

    /// The start of every key, by default `pycket:`. It separates applications that share a database.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The number of the sessions' database. By default that of the URL, or 0 if the URL has none.
    pub fn db_sessions(mut self, database: u32) -> Self {
        self.db_sessions = Some(database);
        self
    }

    /// The number of the notifications' database, by default [1](Self::DEFAULT_DB_NOTIFICATIONS). It may be the
    /// sessions' database: the keys differ as well. A cluster has one database and ignores this.
    pub fn db_notifications(mut self, database: u32) -> Self {
        self.db_notifications = database;
        self
    }

    /// Maximum number of connections to each server, 1 to [1000](Self::MAX_CONNECTIONS), by default 1. Each
    /// carries any number of concurrent requests, so one is enough until it keeps a processor busy.
    pub fn max_connections(mut self, max_connections: usize) -> Self {
        self.max_connections = max_connections;
        self
    }

    /// What the answer to one request may take in memory, 1 MiB to [512 MiB](Self::MAX_RESPONSE_BYTES), by default
    /// [64 MiB](Self::DEFAULT_MAX_RESPONSE_BYTES). Each value in it counts its length and some 60 bytes. A session's
    /// record is one answer.
    ///
    /// When a server sends or announces more, the connection is closed. A load is repeated until the
    /// [deadline](Self::deadline), because the answer may have been that to another request, and then fails with
    /// [`TooLarge`](pycket_core::ErrorKind::TooLarge). A larger value is not stored either. Each value is checked by
    /// itself, so several together may be stored and be too large for a load.
    pub fn max_response_bytes(mut self, max_response_bytes: usize) -> Self {
        self.max_response_bytes = max_response_bytes;
        self
    }

    /// Maximum time to connect and log in, by default [one second](Self::DEFAULT_CONNECT_TIMEOUT).
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.connect = timeout;
        self
    }

    /// Maximum time until a request is answered, by default [one second](Self::DEFAULT_RESPONSE_TIMEOUT).
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.response = timeout;
        self
    }

    /// How long a call that certainly did nothing is tried again, by default
    /// [two seconds](Self::DEFAULT_DEADLINE): while a server restarts, loads its data or is replaced. With zero a
    /// call is tried once; redirections are still followed, and a load whose connection broke is repeated once.
    ///
    /// No other attempt starts after the deadline. One that has started ends within the two timeouts; on a cluster or
    /// with sentinels, finding the server may take them once more. While no server
    /// answers, every request waits until the deadline before it fails, so requests pile up for that time: set
    /// less if they must not.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Makes each write wait until `count` replicas have it, for at most `timeout`, which is 1 ms or more and less
    /// than the [response timeout](Self::response_timeout). By default a write waits for none, and an acknowledged
    /// write is lost if the primary fails before it replicates the write.
    ///
    /// If fewer replicas confirm the write in time, the result is
    /// [`Ambiguous`](pycket_core::ErrorKind::Ambiguous): the primary has carried the write out and may still lose
    /// it. The session then reads the record, and this read waits for the replicas too.
    ///
    /// While a write waits, its connection does nothing else. Writes therefore use connections of their own, as
    /// many again as [`max_connections`](Self::max_connections). Writes that arrive while one waits are sent
    /// together afterwards and share one wait.
    ///
    /// ```
    /// use std::time::Duration;
    /// use pycket_redis::RedisStore;
    ///
    /// let store = RedisStore::builder("redis://127.0.0.1/")
    ///     .max_connections(8)
    ///     .wait_replicas(1, Duration::from_millis(200))
    ///     .build()?;
    /// # Ok::<(), pycket_core::Error>(())
    /// ```
    pub fn wait_replicas(mut self, count: u32, timeout: Duration) -> Self {
        self.replica_acks = Some(ReplicaAcks { count, timeout });
        self
    }

    /// Asks `provider` for the user and the password each time a connection is opened, instead of taking them from
    /// the URL: for passwords that are rotated, and for tokens that expire (AWS ElastiCache with IAM, Azure with
    /// Entra ID). By default the URL's are used.
    ///
    /// The time until it answers counts toward the [connect timeout](Self::connect_timeout), so keep a token that
    /// is still valid and return it again. If it fails or panics, nothing was sent and the call is tried again
    /// until the [deadline](Self::deadline), then fails with
    /// [`Unavailable`](pycket_core::ErrorKind::Unavailable). The source of that error is the provider's own, so it
    /// must not contain the password.
    ///
    /// A connection keeps its login for as long as it is open. A service that closes it when the token expires
    /// causes no error: the next call opens another one. The provider is not asked for the login at sentinels.
    ///
    /// ```
    /// use pycket_redis::{Credentials, RedisStore};
    ///
    /// # async fn token() -> std::io::Result<String> { std::fs::read_to_string("token") }
    /// let store = RedisStore::builder("redis://redis.internal/")
    ///     .credentials(|| async { Ok(Credentials::new("app", token().await?)) })
    ///     .build()?;
    /// # Ok::<(), pycket_core::Error>(())
    /// ```
    pub fn credentials<F>(mut self, provider: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ProviderResult> + Send + 'static,
    {
        self.credentials = Some(Provider::new(provider));
        self
    }

    /// How to log in to the sentinels. The URL says how to log in to the primary.
    ///
    /// ```
    /// use pycket_redis::RedisStore;
    ///
    /// let store = RedisStore::builder("redis+sentinel://app:secret@10.0.0.1,10.0.0.2,10.0.0.3/sessions")
    ///     .sentinel_user("watcher", "secret")
    ///     .build()?;
    /// # Ok::<(), pycket_core::Error>(())
    /// ```
    pub fn sentinel_user(
        mut self,
        username: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        self.sentinel_login = Some(Credentials::new(username, password));
        self
    }

    /// How to log in to sentinels that have a password and no users.
    pub fn sentinel_password(mut self, password: impl Into<String>) -> Self {
        self.sentinel_login = Some(Credentials::password(password));
        self
    }

    /// The authorities whose certificates are trusted, in PEM; by default those that the platform trusts.
    ///
    /// Revocation is not checked, neither by a list nor by OCSP: a certificate is accepted until it expires. So use
    /// certificates that expire soon. A revocation list in this setting is an error of `build`.
    ///
    /// ```no_run
    /// use pycket_redis::RedisStore;
    ///
    /// let store = RedisStore::builder("rediss://redis.internal/")
    ///     .tls_authority(std::fs::read("/etc/pycket/authority.pem")?)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "tls")]
    pub fn tls_authority(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates.authority = Some(pem.into());
        self
    }

    /// The certificate and key that the client shows to a server that asks for them, in PEM; by default none. The
    /// certificates that lead to the authority follow the client's own.
    ///
    /// ```no_run
    /// use pycket_redis::RedisStore;
    ///
    /// let store = RedisStore::builder("rediss://redis.internal/")
    ///     .tls_client(std::fs::read("/etc/pycket/app.pem")?, std::fs::read("/etc/pycket/app.key")?)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "tls")]
    pub fn tls_client(mut self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.certificates.client = Some((certificate.into(), key.into()));
        self
    }
}

/// Shows neither the URL, the logins nor the certificates.
impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder")
            .field("prefix", &self.prefix)
            .field("db_sessions", &self.db_sessions)
            .field("db_notifications", &self.db_notifications)
            .field("max_connections", &self.max_connections)
            .field("max_response_bytes", &self.max_response_bytes)
            .field("timeouts", &self.timeouts)
            .field("deadline", &self.deadline)
            .field("replica_acks", &self.replica_acks)
            .finish_non_exhaustive()
    }
}
