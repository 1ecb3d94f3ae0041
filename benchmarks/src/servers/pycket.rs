use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::routing::{get, post};
use pycket_axum::{Session, SessionError, SessionLayer};
use pycket_core::{Expiry, MemoryStore, SessionManager, SessionStore};
use pycket_memcache::MemcacheStore;
use pycket_redis::RedisStore;

use super::{CSRF, IDLE, SECRET, USER, VISITS, routes};

pub(super) fn on_memory() -> Result<Router> {
    router(Arc::new(MemoryStore::new()))
}

pub(super) fn on_redis(url: &str) -> Result<Router> {
    router(Arc::new(RedisStore::builder(url).build()?))
}

pub(super) fn on_memcached(address: &str) -> Result<Router> {
    router(Arc::new(MemcacheStore::builder().servers([address]).build()?))
}

fn router(store: Arc<dyn SessionStore>) -> Result<Router> {
    let manager = SessionManager::builder(store)
        .expiry(Expiry::builder().idle_timeout(IDLE).build()?)
        .build()?;
    Ok(routes(get(read), post(write), post(login), post(first))
        .layer(SessionLayer::new(manager, SECRET)?))
}

async fn read(session: Session) -> Result<String, SessionError> {
    Ok(session.require::<u64>(VISITS)?.to_string())
}

async fn write(session: Session) -> Result<String, SessionError> {
    let visits = session.require::<u64>(VISITS)? + 1;
    session.set(VISITS, &visits)?;
    Ok(visits.to_string())
}

async fn login(session: Session) -> Result<String, SessionError> {
    session.cycle_id();
    write(session).await
}

async fn first(session: Session) -> Result<&'static str, SessionError> {
    for (name, value) in [USER, CSRF] {
        session.set(name, value)?;
    }
    session.set(VISITS, &1_u64)?;
    Ok("1")
}
