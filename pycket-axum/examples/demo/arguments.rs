use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use pycket_cookie::CookieSettings;
use pycket_core::{Expiry, Renew, SessionManager};
use pycket_memcache::MemcacheStore;
use pycket_redis::RedisStore;

use crate::settings::{Settings, in_memcached, in_memory, in_redis};

/// Shows pycket sessions: a page for browsers at /, a JSON interface for programs under /api.
#[derive(Debug, Parser)]
#[command(name = "demo")]
pub(crate) struct Arguments {
    /// The address to listen on; port 0 chooses a free one
    #[arg(long, default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,

    /// Reads storage, cookie and timeouts from a settings file instead of the arguments
    #[arg(long, value_name = "FILE", conflicts_with_all = ["store", "idle", "absolute", "renew"])]
    config: Option<PathBuf>,

    /// Where sessions are stored: memory; redis://HOST[:PORT], or rediss:// for TLS;
    /// redis+cluster://HOST[:PORT][,HOST[:PORT]…]; redis+sentinel://HOST[:PORT][,HOST[:PORT]…]/SERVICE;
    /// memcache://HOST[:PORT][,HOST[:PORT]…]
    #[arg(long, default_value = "memory", value_name = "memory|URL")]
    store: Store,

    /// The idle timeout: ends a session that nothing renewed for this long
    #[arg(long, default_value_t = Expiry::DEFAULT_IDLE.as_secs(), value_name = "SECONDS")]
    idle: u64,

    /// The absolute timeout: ends a session this long after it began [default: never]
    #[arg(long, value_name = "SECONDS")]
    absolute: Option<u64>,

    /// What restarts the idle timeout
    #[arg(long, value_enum, default_value_t = RenewOn::Change)]
    renew: RenewOn,

    /// The file of the key that signs cookies, created if absent [default: a new key at each start, which
    /// ends all sessions]
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
}

#[derive(Clone, Debug)]
enum Store {
    Memory,
    Redis(String),
    Memcache(Vec<String>),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RenewOn {
    Change,
    Access,
}

impl Arguments {
    /// The session manager and the cookie settings.
    pub(crate) fn settings(&self) -> Result<(SessionManager, CookieSettings), String> {
        if let Some(path) = &self.config {
            let settings = Settings::read(path)?;
            let cookies = settings.cookies.clone();
            return Ok((settings.manager()?, cookies));
        }
        let manager = match &self.store {
            Store::Memory => Ok(in_memory()),
            Store::Redis(url) => in_redis(RedisStore::builder(url)),
            Store::Memcache(servers) => in_memcached(MemcacheStore::builder().servers(servers)),
        }
        .map_err(|error| format!("--store: {error}"))?;
        // The demo uses plain HTTP, over which most clients do not send a `Secure` cookie.
        let cookies =
            CookieSettings::builder().secure(false).build().map_err(|error| error.to_string())?;
        let manager = manager.to_builder().expiry(self.expiry()?).build();
        Ok((manager.map_err(|error| error.to_string())?, cookies))
    }

    fn expiry(&self) -> Result<Expiry, String> {
        let renew = match self.renew {
            RenewOn::Change => Renew::OnChange,
            RenewOn::Access => Renew::OnAccess,
        };
        let idle_timeout = Duration::from_secs(self.idle);
        let mut expiry = Expiry::builder().renew(renew).idle_timeout(idle_timeout);
        if let Some(absolute) = self.absolute {
            expiry = expiry.absolute_timeout(Duration::from_secs(absolute));
        }
        expiry.build().map_err(|error| format!("--idle or --absolute: {error}"))
    }
}

impl FromStr for Store {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':').map_or(text, |(scheme, _)| scheme) {
            "memory" => Ok(Self::Memory),
            "memcache" | "memcached" => {
                let servers = text.split_once("://").map_or("", |(_, servers)| servers);
                let servers = servers.trim_end_matches('/').split(',');
                Ok(Self::Memcache(servers.map(str::to_owned).collect()))
            }
            "redis" | "rediss" | "redis+unix" | "unix" | "valkey" | "valkeys" | "redis+cluster"
            | "rediss+cluster" | "redis+sentinel" | "rediss+sentinel" => {
                Ok(Self::Redis(text.to_owned()))
            }
            _ => Err("unknown store; known are `memory`, `redis://host:port`, \
                 `redis+cluster://host:port,host:port…`, `redis+sentinel://host:port…/service` and \
                 `memcache://host:port[,host:port…]`"),
        }
    }
}
