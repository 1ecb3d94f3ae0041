use std::sync::Arc;
use std::time::Duration;

use pycket_core::driver::{check_range, check_timeout, invalid_setting};
use pycket_core::{Error, KeySpace};

use super::{Address, RedisStoreBuilder};
use crate::RedisStore;
use crate::address::Endpoint;
use crate::connection::ConnectionSettings;
use crate::topology::{Cluster, NodeSettings, Route, Sentinels, Topology};
use crate::url::Target;

impl RedisStoreBuilder {
    /// Builds the store of the sessions. It connects on first use, so a program may start before its store.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`](pycket_core::ErrorKind::InvalidSetting): the URL is not valid or needs a feature
    /// that this build does not have; the number of connections, `max_response_bytes` or a value of `wait_replicas`
    /// is out of range; a timeout is zero; a certificate cannot be read, or there is one without TLS; a revocation
    /// list is not where it belongs; two settings contradict each other, such as a database number for a cluster,
    /// or `credentials` beside a user or password in the URL.
    pub fn build(self) -> Result<RedisStore, Error> {
        self.dataset(KeySpace::SESSIONS, self.db_sessions)
    }

    /// Builds the store of the sessions and the store for
    /// [`SessionManagerBuilder::notifications`](pycket_core::SessionManagerBuilder::notifications). Each has
    /// connections of its own.
    ///
    /// ```
    /// use pycket_core::SessionManager;
    /// use pycket_redis::RedisStore;
    ///
    /// let (sessions, notifications) =
    ///     RedisStore::builder("redis://127.0.0.1/").build_with_notifications()?;
    /// let manager = SessionManager::builder(sessions).notifications(notifications).build()?;
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
        self.check()?;
        let topology =
            Topology::new(self.route(database)?, self.deadline, self.replica_acks.is_some());
        let keys = KeySpace::new(&self.prefix, dataset);
        Ok(RedisStore { topology, keys, max_response_bytes: self.max_response_bytes })
    }

    fn check(&self) -> Result<(), Error> {
        check_range("max_connections", self.max_connections, 1..=Self::MAX_CONNECTIONS)?;
        let range = 1 << 20..=Self::MAX_RESPONSE_BYTES;
        check_range("max_response_bytes", self.max_response_bytes, range)?;
        check_timeout("connect_timeout", self.timeouts.connect)?;
        check_timeout("response_timeout", self.timeouts.response)?;
        let Some(acks) = self.replica_acks else { return Ok(()) };
        if acks.count == 0 {
            return Err(invalid_setting(
                "the number in `wait_replicas` must be 1 or more; remove the setting to wait for none",
            ));
        }
        if acks.timeout < Duration::from_millis(1) || acks.timeout >= self.timeouts.response {
            return Err(invalid_setting(
                "the time limit of `wait_replicas` must be 1 ms or more, and less than \
                 `response_timeout`",
            ));
        }
        Ok(())
    }

    fn route(&self, database: Option<u32>) -> Result<Route, Error> {
        let target = match &self.address {
            Address::Url(url) => Target::parse(url)?,
            Address::Single(endpoint) => Target::Single(endpoint.clone()),
        };
        match target {
            Target::Single(server) => {
                let settings = self.node_settings(server.uses_tls)?;
                let server = self.with_credentials(server)?.with_database(database);
                Ok(Route::Single(Box::new(settings.node(server))))
            }
            Target::Cluster(nodes) => {
                if self.db_sessions.is_some_and(|database| database != 0) {
                    return Err(invalid_setting(
                        "a cluster has no databases; remove `db_sessions`",
                    ));
                }
                let settings = self.node_settings(nodes.iter().any(|node| node.uses_tls))?;
                let nodes = nodes.into_iter().map(|node| self.with_credentials(node));
                let nodes = nodes.collect::<Result<_, _>>()?;
                let cluster = Cluster::new(nodes, settings).ok_or_else(|| {
                    invalid_setting("a node of a cluster needs a host and a port, not a socket")
                })?;
                Ok(Route::Cluster(Arc::new(cluster)))
            }
            Target::Sentinel { sentinels, service, primary } => {
                let settings = self.node_settings(primary.uses_tls)?;
                let sentinels = sentinels.into_iter().map(|sentinel| self.known(sentinel));
                let primary = self.with_credentials(primary)?.with_database(database);
                let sentinels = Sentinels::new(sentinels.collect(), service, primary, settings);
                Ok(Route::Sentinel(Arc::new(sentinels)))
            }
        }
    }

    fn with_credentials(&self, mut endpoint: Endpoint) -> Result<Endpoint, Error> {
        endpoint.credentials.clone_from(&self.credentials);
        let has_login = endpoint.login.username().is_some() || endpoint.login.password().is_some();
        if has_login && endpoint.credentials.is_some() {
            return Err(invalid_setting(
                "`credentials` replaces user and password; remove them from the URL or the file",
            ));
        }
        Ok(endpoint)
    }

    fn known(&self, mut sentinel: Endpoint) -> Endpoint {
        if let Some(credentials) = &self.sentinel_login {
            sentinel.login = credentials.apply_to(sentinel.login);
        }
        sentinel
    }

    #[cfg_attr(not(feature = "tls"), expect(unused_variables, clippy::unnecessary_wraps))]
    fn node_settings(&self, uses_tls: bool) -> Result<NodeSettings, Error> {
        #[cfg(feature = "tls")]
        if !uses_tls && self.certificates.are_set() {
            return Err(invalid_setting("certificates need TLS; use a rediss:// URL"));
        }
        let connections = ConnectionSettings {
            timeouts: self.timeouts,
            max_connections: self.max_connections,
            max_response_bytes: self.max_response_bytes,
            #[cfg(feature = "tls")]
            tls: uses_tls.then(|| crate::connection::Tls::new(&self.certificates)).transpose()?,
        };
        Ok(NodeSettings { connections, replica_acks: self.replica_acks })
    }
}
