use anyhow::Result;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use time::Duration;
use tower_sessions::cookie::Key;
use tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer, SessionStore};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike, Config, Pool};

use super::{CSRF, IDLE, SECRET, USER, VISITS, routes};

pub(super) fn on_memory() -> Router {
    router(MemoryStore::default())
}

pub(super) async fn on_redis(url: &str) -> Result<Router> {
    Ok(router(redis(url).await?))
}

/// One connection, as in the other servers. The Redis client pipelines on it.
pub(crate) async fn redis(url: &str) -> Result<RedisStore<Pool>> {
    let pool = Pool::new(Config::from_url(url)?, None, None, None, 1)?;
    // The task ends with the process.
    let _connection = pool.connect();
    pool.wait_for_connect().await?;
    Ok(RedisStore::new(pool))
}

fn router<S: SessionStore + Clone>(store: S) -> Router {
    let idle = Duration::seconds(IDLE.as_secs() as i64);
    let layer = SessionManagerLayer::new(store)
        .with_expiry(Expiry::OnInactivity(idle))
        .with_signed(Key::derive_from(SECRET.as_bytes()));
    routes(get(read), post(write), post(login), post(first)).layer(layer)
}

async fn read(session: Session) -> Result<String, StatusCode> {
    Ok(visits(&session).await?.to_string())
}

async fn write(session: Session) -> Result<String, StatusCode> {
    let visits = visits(&session).await? + 1;
    session.insert(VISITS, visits).await.map_err(failure)?;
    Ok(visits.to_string())
}

async fn login(session: Session) -> Result<String, StatusCode> {
    session.cycle_id().await.map_err(failure)?;
    write(session).await
}

async fn first(session: Session) -> Result<&'static str, StatusCode> {
    for (name, value) in [USER, CSRF] {
        session.insert(name, value).await.map_err(failure)?;
    }
    session.insert(VISITS, 1_u64).await.map_err(failure)?;
    Ok("1")
}

async fn visits(session: &Session) -> Result<u64, StatusCode> {
    session.get(VISITS).await.map_err(failure)?.ok_or(StatusCode::CONFLICT)
}

fn failure(_: tower_sessions::session::Error) -> StatusCode {
    StatusCode::SERVICE_UNAVAILABLE
}
