mod actix;
mod actix_session;
mod axum_session;
mod bare;
mod floor;
mod floor_memcached;
mod listen;
mod per_core;
mod pycket;
mod repeat;
mod tower_sessions;

use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::routing::{MethodRouter, get};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

pub(crate) use repeat::repeat;
pub(crate) use tower_sessions::redis as tower_redis;

/// The idle timeout of all servers.
pub(crate) const IDLE: Duration = Duration::from_secs(24 * 60 * 60);

/// Every server derives its signing key from it.
const SECRET: &str = "for measurements only: no application signs its cookies with it";

/// The values of a new session, beside its number of visits: a user name and a CSRF token.
pub(crate) const USER: (&str, &str) = ("user", "margarethe");
pub(crate) const CSRF: (&str, &str) = ("csrf", "9f86d081884c7d659a2feaa0c55ad015");
pub(crate) const VISITS: &str = "visits";

/// The servers that are measured. Each has the same five routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Server {
    /// axum without sessions.
    Axum,
    /// The same on a runtime per core.
    AxumPerCore,
    /// A careful hand-written implementation on Redis.
    Floor,
    /// The same on a runtime per core.
    FloorPerCore,
    /// The same on memcached.
    FloorMemcached,
    PycketMemory,
    PycketRedis,
    /// The same on a runtime per core.
    PycketRedisPerCore,
    PycketMemcached,
    TowerSessionsMemory,
    TowerSessionsRedis,
    AxumSessionRedis,
    /// actix-web without sessions.
    Actix,
    ActixSessionRedis,
}

/// Where a server keeps its sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreKind {
    None,
    Memory,
    Redis,
    Memcached,
}

impl Server {
    /// All servers with a form for this number of worker threads.
    pub(crate) fn all(workers: usize) -> Vec<Self> {
        let all = Self::value_variants().iter().copied();
        all.filter(|server| workers > 1 || !server.is_per_core()).collect()
    }

    /// Whether it has a runtime with one thread for each worker, as actix has, instead of one runtime for all.
    pub(crate) fn is_per_core(self) -> bool {
        matches!(self, Self::AxumPerCore | Self::FloorPerCore | Self::PycketRedisPerCore)
    }

    /// The name in tables and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Axum => "axum",
            Self::AxumPerCore => "axum-per-core",
            Self::Floor => "floor",
            Self::FloorPerCore => "floor-per-core",
            Self::FloorMemcached => "floor-memcached",
            Self::PycketMemory => "pycket-memory",
            Self::PycketRedis => "pycket-redis",
            Self::PycketRedisPerCore => "pycket-redis-per-core",
            Self::PycketMemcached => "pycket-memcached",
            Self::TowerSessionsMemory => "tower-sessions-memory",
            Self::TowerSessionsRedis => "tower-sessions-redis",
            Self::AxumSessionRedis => "axum-session-redis",
            Self::Actix => "actix",
            Self::ActixSessionRedis => "actix-session-redis",
        }
    }

    pub(crate) fn store(self) -> StoreKind {
        match self {
            Self::Axum | Self::AxumPerCore | Self::Actix => StoreKind::None,
            Self::PycketMemory | Self::TowerSessionsMemory => StoreKind::Memory,
            Self::FloorMemcached | Self::PycketMemcached => StoreKind::Memcached,
            Self::Floor
            | Self::FloorPerCore
            | Self::PycketRedis
            | Self::PycketRedisPerCore
            | Self::TowerSessionsRedis
            | Self::AxumSessionRedis
            | Self::ActixSessionRedis => StoreKind::Redis,
        }
    }

    /// The same framework without sessions. The difference in processor time is the cost of the session.
    pub(crate) fn baseline(self) -> Self {
        match self {
            Self::Actix | Self::ActixSessionRedis => Self::Actix,
            _ if self.is_per_core() => Self::AxumPerCore,
            _ => Self::Axum,
        }
    }
}

/// Listens on a free loopback port, prints its address, and serves until standard input ends.
pub(crate) fn serve(server: Server, store: Option<&str>, workers: usize) -> Result<()> {
    match server {
        Server::Actix => actix::serve(workers),
        Server::ActixSessionRedis => actix_session::serve(url(store)?, workers),
        _ if server.is_per_core() => per_core::axum(workers, async || router(server, store).await),
        _ => listen::axum(workers, router(server, store)),
    }
}

async fn router(server: Server, store: Option<&str>) -> Result<Router> {
    match server {
        Server::Axum | Server::AxumPerCore => Ok(bare::router()),
        Server::Floor | Server::FloorPerCore => floor::router(url(store)?).await,
        Server::FloorMemcached => floor_memcached::router(url(store)?).await,
        Server::PycketMemory => pycket::on_memory(),
        Server::PycketRedis | Server::PycketRedisPerCore => pycket::on_redis(url(store)?),
        Server::PycketMemcached => pycket::on_memcached(url(store)?),
        Server::TowerSessionsMemory => Ok(tower_sessions::on_memory()),
        Server::TowerSessionsRedis => tower_sessions::on_redis(url(store)?).await,
        Server::AxumSessionRedis => axum_session::router(url(store)?).await,
        Server::Actix | Server::ActixSessionRedis => anyhow::bail!("this server is not axum"),
    }
}

fn url(store: Option<&str>) -> Result<&str> {
    store.context("this server needs the URL of a store")
}

/// The routes of every axum server.
fn routes<S: Clone + Send + Sync + 'static>(
    read: MethodRouter<S>,
    write: MethodRouter<S>,
    login: MethodRouter<S>,
    first: MethodRouter<S>,
) -> Router<S> {
    Router::new()
        .route("/untouched", get(async || "ok"))
        .route("/read", read)
        .route("/write", write)
        .route("/login", login)
        .route("/first", first)
}
