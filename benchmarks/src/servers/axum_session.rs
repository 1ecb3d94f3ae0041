use anyhow::Result;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum_session::{Key, SessionConfig, SessionLayer, SessionStore};
use axum_session_redispool::{SessionRedisPool, SessionRedisSession};
use redis_pool::SingleRedisPool;
use time::Duration;

use super::{CSRF, IDLE, SECRET, USER, VISITS, routes};

type Session = SessionRedisSession;

/// The cache in memory is disabled: with it, a second server process returns values that are up to an hour
/// old. No other server here does that.
pub(super) async fn router(redis: &str) -> Result<Router> {
    let pool = SingleRedisPool::from(redis::Client::open(redis)?);
    let config = SessionConfig::default()
        .with_lifetime(Duration::seconds(IDLE.as_secs() as i64))
        .with_memory_lifetime(Duration::ZERO)
        .with_secure(true)
        .with_key(Key::derive_from(SECRET.as_bytes()));
    let store = SessionStore::<SessionRedisPool>::new(Some(pool.into()), config).await?;
    Ok(routes(get(read), post(write), post(login), post(first)).layer(SessionLayer::new(store)))
}

async fn read(session: Session) -> Result<String, StatusCode> {
    Ok(visits(&session)?.to_string())
}

async fn write(session: Session) -> Result<String, StatusCode> {
    let visits = visits(&session)? + 1;
    session.set(VISITS, visits);
    Ok(visits.to_string())
}

async fn login(session: Session) -> Result<String, StatusCode> {
    session.renew();
    write(session).await
}

async fn first(session: Session) -> &'static str {
    for (name, value) in [USER, CSRF] {
        session.set(name, value);
    }
    session.set(VISITS, 1_u64);
    "1"
}

fn visits(session: &Session) -> Result<u64, StatusCode> {
    session.get(VISITS).ok_or(StatusCode::CONFLICT)
}
