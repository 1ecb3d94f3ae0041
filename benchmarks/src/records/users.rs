//! The sessions of one user: how long it takes to list and to end many of them.

use std::num::NonZeroUsize;
use std::time::Instant;

use anyhow::{Context, Result};
use pycket_core::{MemoryStore, SessionManager, SessionStore};
use pycket_memcache::MemcacheStore;
use pycket_redis::RedisStore;
use pycket_testkit::servers::Server;

use super::Users;

const ROUNDS: usize = 5;
const SESSIONS: [usize; 4] = [1, 10, 200, 1000];

pub(super) async fn measure() -> Result<Vec<Users>> {
    let (redis, memcached) = (Server::redis(), Server::memcached());
    let memcache = MemcacheStore::builder().servers([memcached.address().to_string()]).build()?;
    let mut all = Vec::new();
    for sessions in SESSIONS {
        all.push(of("memory", MemoryStore::new(), sessions).await?);
        all.push(of("redis", RedisStore::new(&redis.url())?, sessions).await?);
    }
    let memcache = std::sync::Arc::new(memcache);
    for sessions in SESSIONS {
        all.push(of("memcached", memcache.clone(), sessions).await?);
    }
    Ok(all)
}

/// The medians of some rounds.
async fn of(store_name: &str, store: impl SessionStore, sessions: usize) -> Result<Users> {
    let max = NonZeroUsize::new(2000).context("not zero")?;
    let manager = SessionManager::builder(store).max_sessions_per_user(max).build()?;
    let user = manager.user("ann")?;
    let (mut list_ms, mut end_all_ms) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for _ in 0..sessions {
            let session = manager.open(None).await?;
            session.log_in_labelled("ann", "Firefox on Linux")?;
            session.commit().await?;
        }
        let begin = Instant::now();
        anyhow::ensure!(user.sessions().await?.len() == sessions, "not all sessions are listed");
        list_ms.push(begin.elapsed().as_secs_f64() * 1e3);
        let begin = Instant::now();
        anyhow::ensure!(user.end_all().await? == sessions, "not all sessions are ended");
        end_all_ms.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    let [list_ms, end_all_ms] = [list_ms, end_all_ms].map(median);
    Ok(Users { store: store_name.to_owned(), sessions, list_ms, end_all_ms })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
