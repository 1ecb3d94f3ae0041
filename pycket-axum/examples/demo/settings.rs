use std::path::Path;

use pycket_cookie::CookieSettings;
use pycket_core::{Expiry, MemoryStore, SessionManager};
use pycket_memcache::MemcacheStoreBuilder;
use pycket_redis::RedisStoreBuilder;
use serde::Deserialize;
use toml::Table;

/// A settings file. The library's crates read their own parts; the application chooses the engines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    pycket: Settings,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    engine: Engine,
    #[serde(default)]
    storage: Table,
    #[serde(default)]
    pub(crate) cookies: CookieSettings,
    #[serde(default)]
    pub(crate) lifetime: Expiry,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Engine {
    Memory,
    Redis,
    Memcached,
}

impl Settings {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        // Only the message: the whole error shows the line, which may contain a password.
        let file: File = toml::from_str(&text)
            .map_err(|error| format!("{}: {}", path.display(), error.message()))?;
        Ok(file.pycket)
    }

    pub(crate) fn manager(self) -> Result<SessionManager, String> {
        let storage = self.storage;
        let manager = match self.engine {
            Engine::Memory => {
                let NoSettings {} = read(storage)?;
                in_memory()
            }
            Engine::Memcached => {
                in_memcached(read(storage)?).map_err(|error| format!("storage: {error}"))?
            }
            Engine::Redis => {
                in_redis(read(storage)?).map_err(|error| format!("storage: {error}"))?
            }
        };
        manager.to_builder().expiry(self.lifetime).build().map_err(|error| error.to_string())
    }
}

pub(crate) fn in_memory() -> SessionManager {
    SessionManager::new(MemoryStore::new())
}

pub(crate) fn in_redis(builder: RedisStoreBuilder) -> Result<SessionManager, pycket_core::Error> {
    let (sessions, notifications) = builder.build_with_notifications()?;
    SessionManager::builder(sessions).notifications(notifications).build()
}

pub(crate) fn in_memcached(
    builder: MemcacheStoreBuilder,
) -> Result<SessionManager, pycket_core::Error> {
    let (sessions, notifications) = builder.build_with_notifications()?;
    SessionManager::builder(sessions).notifications(notifications).build()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoSettings {}

fn read<'de, T: Deserialize<'de>>(storage: Table) -> Result<T, String> {
    storage.try_into().map_err(|error: toml::de::Error| format!("storage: {}", error.message()))
}
