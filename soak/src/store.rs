//! The stores, and what an operator does with them.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::ValueEnum;
use pycket_core::{MemoryStore, SessionStore};
use pycket_memcache::MemcacheStore;
use pycket_redis::RedisStore;
use pycket_testkit::servers::{FaultProxy, RedisCluster, RedisSentinel, Server};

use crate::Result;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoreKind {
    /// One Redis that writes every change to its disk before it answers.
    Redis,
    /// Three primaries with a replica each; every write waits for the replica.
    Cluster,
    /// A primary with two replicas and three sentinels; every write waits for both replicas.
    Sentinel,
    Memcached,
    /// In the memory of one server process.
    Memory,
}

impl StoreKind {
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|it| it.get_name().to_owned()).unwrap_or_default()
    }
}

/// Opens the store in a server of the application.
pub(crate) fn open(kind: StoreKind, url: &str) -> Result<Arc<dyn SessionStore>> {
    let wait = Duration::from_millis(500);
    let redis = || RedisStore::builder(url);
    Ok(match kind {
        StoreKind::Redis => Arc::new(redis().build()?),
        StoreKind::Cluster => Arc::new(redis().wait_replicas(1, wait).build()?),
        StoreKind::Sentinel => Arc::new(redis().wait_replicas(2, wait).build()?),
        StoreKind::Memcached => Arc::new(MemcacheStore::builder().servers([url]).build()?),
        StoreKind::Memory => Arc::new(MemoryStore::new()),
    })
}

/// The servers of the store.
#[derive(Debug)]
pub(crate) enum Backend {
    /// A single server, and a proxy in front of it for each server of the application.
    Single(Server, Vec<FaultProxy>),
    Cluster(RedisCluster),
    Sentinel(RedisSentinel),
    Memory,
}

impl Backend {
    pub(crate) fn start(kind: StoreKind, applications: usize) -> Self {
        let single = |server: Server| {
            let proxies = (0..applications).map(|_| FaultProxy::new(server.address())).collect();
            Self::Single(server, proxies)
        };
        match kind {
            StoreKind::Redis => single(Server::redis_persistent()),
            StoreKind::Memcached => single(Server::memcached()),
            StoreKind::Cluster => Self::Cluster(Server::redis_cluster_with_replicas(3, 1)),
            StoreKind::Sentinel => Self::Sentinel(Server::redis_sentinel()),
            StoreKind::Memory => Self::Memory,
        }
    }

    /// The URL for one of the servers of the application.
    pub(crate) fn url(&self, kind: StoreKind, application: usize) -> String {
        match self {
            Self::Single(_, proxies) => {
                let address = proxies.get(application).map(FaultProxy::address);
                let address = address.map(|address| address.to_string()).unwrap_or_default();
                let scheme = if kind == StoreKind::Redis { "redis://" } else { "" };
                format!("{scheme}{address}")
            }
            Self::Cluster(cluster) => cluster.url(),
            Self::Sentinel(group) => group.url(),
            Self::Memory => String::new(),
        }
    }

    /// The servers that hold data.
    pub(crate) fn members(&self) -> Vec<&Server> {
        match self {
            Self::Single(server, _) => vec![server],
            Self::Cluster(cluster) => cluster.nodes().iter().collect(),
            Self::Sentinel(group) => {
                std::iter::once(group.primary()).chain(group.replicas()).collect()
            }
            Self::Memory => Vec::new(),
        }
    }

    /// How many records the store still has; `None` if it does not say.
    pub(crate) fn records(&self, kind: StoreKind) -> Result<Option<usize>> {
        match kind {
            StoreKind::Memory => Ok(None),
            StoreKind::Memcached => {
                let server = self.members().into_iter().next().ok_or("there is no server")?;
                Ok(Some(live_items(server)?))
            }
            _ => {
                let mut records = 0;
                for primary in primaries(&self.members()) {
                    // Expired keys are not in the answer.
                    let keys: Vec<redis::Value> = ask(primary, &["KEYS", "*"])?;
                    records += keys.len();
                }
                Ok(Some(records))
            }
        }
    }
}

/// Sends a command to a Redis server.
pub(crate) fn ask<T: redis::FromRedisValue>(server: &Server, words: &[&str]) -> Result<T> {
    let client = redis::Client::open(server.url())?;
    let mut connection = client.get_connection_with_timeout(Duration::from_secs(2))?;
    connection.set_read_timeout(Some(Duration::from_secs(6)))?;
    let (name, arguments) = words.split_first().ok_or("there is no command")?;
    Ok(redis::cmd(name).arg(arguments).query(&mut connection)?)
}

/// The servers that are primaries now. One that does not answer is none.
pub(crate) fn primaries<'a>(members: &[&'a Server]) -> Vec<&'a Server> {
    let is_primary = |server: &&&Server| {
        let replication: Result<String> = ask(server, &["INFO", "replication"]);
        replication.is_ok_and(|text| text.contains("role:master"))
    };
    members.iter().filter(is_primary).copied().collect()
}

/// The items of memcached that have not expired.
fn live_items(server: &Server) -> Result<usize> {
    let mut stream = TcpStream::connect(server.address())?;
    stream.write_all(b"lru_crawler metadump all\r\n")?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let mut live = 0;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        if line == "END" {
            return Ok(live);
        }
        let expires = line.split(' ').find_map(|word| word.strip_prefix("exp="));
        let expires: i64 = expires.ok_or(line.clone())?.parse()?;
        live += usize::from(expires < 0 || u64::try_from(expires)? > now);
    }
    Err("memcached closed the connection".into())
}
