use std::sync::Arc;

use anyhow::{Context, Result};
use pycket_core::SessionManager;
use pycket_redis::RedisStore;
use tower_sessions::Session;

use super::Large;
use crate::bench::redis_traffic;
use crate::servers::{VISITS, tower_redis};

const RECORD: usize = 1_000_000;

/// The bytes that Redis receives for one small change to a large record.
pub(super) async fn measure(url: &str) -> Result<Large> {
    Ok(Large {
        record_bytes: RECORD,
        bytes_sent_for_a_change: pycket(url).await?,
        bytes_sent_by_tower_sessions: tower_sessions(url).await?,
    })
}

async fn pycket(url: &str) -> Result<f64> {
    let manager = SessionManager::new(Arc::new(RedisStore::builder(url).build()?));
    let session = manager.open(None).await?;
    session.set("draft", &"x".repeat(RECORD))?;
    session.set(VISITS, &1_u64)?;
    session.commit().await?;
    // The first update also loads the script into Redis.
    let mut sent = 0.0;
    for visits in 2..=3_u64 {
        let before = received(url)?;
        let session = manager.open(session.id()).await?;
        session.set(VISITS, &visits)?;
        session.commit().await?;
        sent = received(url)? - before;
    }
    Ok(sent)
}

async fn tower_sessions(url: &str) -> Result<f64> {
    let store = Arc::new(tower_redis(url).await?);
    let session = Session::new(None, store.clone(), None);
    session.insert("draft", "x".repeat(RECORD)).await?;
    session.insert(VISITS, 1_u64).await?;
    session.save().await?;
    let id = session.id().context("a saved session has an id")?;
    let before = received(url)?;
    let session = Session::new(Some(id), store, None);
    session.insert(VISITS, 2_u64).await?;
    session.save().await?;
    Ok(received(url)? - before)
}

fn received(url: &str) -> Result<f64> {
    let (received, _) = redis_traffic(&mut redis::Client::open(url)?.get_connection()?)?;
    Ok(received as f64)
}
