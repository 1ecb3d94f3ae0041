use std::sync::Arc;
use std::time::Duration;

use pycket_core::Error;
use redis::ConnectionInfo;
use redis::io::tcp::socket2::TcpKeepalive;

use super::RedisStoreBuilder;
use crate::address::{invalid, with_user};
use crate::cluster::Cluster;
use crate::connection::Pool;
use crate::many::{Many, Route};
use crate::node::NodeSettings;
use crate::safety::Safety;
use crate::sentinel::Watched;
use crate::servers::{Servers, Single};
use crate::target::Target;

/// Routers and firewalls forget a connection that is silent for some minutes, and tell nobody.
const KEEPALIVE: Duration = Duration::from_secs(60);

impl RedisStoreBuilder {
    pub(super) fn servers(&self, database: Option<u32>) -> Result<Servers, Error> {
        let route = match self.address.target()? {
            Target::One(info) => {
                let info = self.connection(with_database(info, database))?;
                if self.replicas.is_none() {
                    let client = redis::Client::open(info).map_err(unusable)?;
                    let pool = Pool::new(client, self.timeouts, self.max_connections);
                    let server = Single { pool, limit: self.deadline };
                    return Ok(Servers::One(Box::new(server)));
                }
                Route::One(Box::new(self.nodes().node(info).map_err(unusable)?), self.deadline)
            }
            Target::Cluster(nodes) => Route::Cluster(Box::new(self.cluster(nodes)?)),
            Target::Sentinel { sentinels, service, primary } => {
                let primary = self.connection(with_database(primary, database))?;
                Route::Watched(Arc::new(self.watched(sentinels, service, primary)?))
            }
        };
        let safety = self.replicas.map(Safety::new);
        Ok(Servers::Many(Box::new(Many { route, safety })))
    }

    fn cluster(&self, nodes: Vec<ConnectionInfo>) -> Result<Cluster, Error> {
        if self.db_sessions.is_some_and(|database| database != 0) {
            return Err(invalid("a cluster has no databases; leave `db_sessions` out"));
        }
        let nodes =
            nodes.into_iter().map(|node| self.connection(node)).collect::<Result<_, _>>()?;
        Cluster::new(nodes, self.nodes(), self.deadline)
            .ok_or_else(|| invalid("the nodes of a cluster have hosts and ports, no sockets"))
    }

    fn watched(
        &self,
        sentinels: Vec<ConnectionInfo>,
        service: String,
        primary: ConnectionInfo,
    ) -> Result<Watched, Error> {
        let known = |sentinel| match &self.sentinel_user {
            Some((username, password)) => with_user(sentinel, username.as_deref(), Some(password)),
            None => sentinel,
        };
        let sentinels = sentinels.into_iter().map(|sentinel| self.connection(known(sentinel)));
        let sentinels = sentinels.collect::<Result<_, _>>()?;
        Watched::new(sentinels, service, primary, self.nodes(), self.deadline).map_err(unusable)
    }

    fn nodes(&self) -> NodeSettings {
        NodeSettings {
            timeouts: self.timeouts,
            connections: self.max_connections,
            replicas: self.replicas,
        }
    }

    fn connection(&self, info: ConnectionInfo) -> Result<ConnectionInfo, Error> {
        let tcp = info
            .tcp_settings()
            .clone()
            // Requests are small and each waits for its answer: nothing is gained by holding them back.
            .set_nodelay(true)
            .set_keepalive(TcpKeepalive::new().with_time(KEEPALIVE));
        let info = info.set_tcp_settings(tcp);
        #[cfg(feature = "tls")]
        let info = self.tls.apply(info)?;
        Ok(info)
    }
}

fn with_database(info: ConnectionInfo, database: Option<u32>) -> ConnectionInfo {
    let Some(database) = database else { return info };
    let settings = info.redis_settings().clone().set_db(database.into());
    info.set_redis_settings(settings)
}

fn unusable(source: redis::RedisError) -> Error {
    invalid("the Redis settings are not usable").with_source(source)
}
