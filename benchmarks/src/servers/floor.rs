//! A careful hand-written implementation of the five routes. It verifies the cookie and sends the same
//! commands to Redis as pycket. A write never revives a session.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use cookie::{Cookie, CookieJar, Key, SameSite};
use pycket_redis::RedisStoreBuilder;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Script};

use super::{CSRF, IDLE, SECRET, USER, VISITS, routes};

const NAME: &str = "SESSION_ID";

pub(super) async fn router(redis: &str) -> Result<Router> {
    let client = redis::Client::open(redis)?;
    // As pycket. With the client's own limit, half of it, a busy machine fails the run.
    let config = AsyncConnectionConfig::new()
        .set_response_timeout(Some(RedisStoreBuilder::DEFAULT_RESPONSE_TIMEOUT));
    let sessions = Sessions {
        redis: client.get_multiplexed_async_connection_with_config(&config).await?,
        cookies: Cookies::new(),
        create: Script::new(
            "if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
            redis.call('HSET', KEYS[1], unpack(ARGV, 2))
            redis.call('PEXPIRE', KEYS[1], ARGV[1])
            return 1",
        ),
        update: Script::new(
            "if redis.call('PEXPIRE', KEYS[1], ARGV[1]) == 0 then return 0 end
            redis.call('HSET', KEYS[1], unpack(ARGV, 2))
            return 1",
        ),
    };
    Ok(routes(get(read), post(write), post(login), post(first)).with_state(Arc::new(sessions)))
}

struct Sessions {
    redis: MultiplexedConnection,
    cookies: Cookies,
    create: Script,
    update: Script,
}

type Shared = State<Arc<Sessions>>;
pub(super) type Record = HashMap<String, String>;

/// The signed cookie of every floor.
pub(super) struct Cookies(Key);

async fn read(State(sessions): Shared, headers: HeaderMap) -> Result<String, Failure> {
    let id = sessions.cookies.authentic_id(&headers).ok_or(Failure::NoSession)?;
    let (record, _ttl) = sessions.load(&id).await?;
    Ok(record.get(VISITS).ok_or(Failure::NoSession)?.clone())
}

async fn write(State(sessions): Shared, headers: HeaderMap) -> Result<String, Failure> {
    let id = sessions.cookies.authentic_id(&headers).ok_or(Failure::NoSession)?;
    let (record, _ttl) = sessions.load(&id).await?;
    let visits = next_visit(&record)?;
    let mut update = sessions.update.prepare_invoke();
    update.key(key(&id)).arg(IDLE.as_millis() as u64).arg(VISITS).arg(&visits);
    match update.invoke_async(&mut sessions.redis.clone()).await? {
        1 => Ok(visits),
        _ => Err(Failure::NoSession),
    }
}

/// Stores the new id before it removes the old one: after a failure in between, the old one still works.
async fn login(State(sessions): Shared, headers: HeaderMap) -> Result<Response, Failure> {
    let old = sessions.cookies.authentic_id(&headers).ok_or(Failure::NoSession)?;
    let (mut record, _ttl) = sessions.load(&old).await?;
    let visits = next_visit(&record)?;
    record.insert(VISITS.to_owned(), visits.clone());
    let id = sessions.create(&record).await?;
    let () = redis::cmd("UNLINK").arg(key(&old)).query_async(&mut sessions.redis.clone()).await?;
    Ok(([(header::SET_COOKIE, sessions.cookies.issue(id))], visits).into_response())
}

async fn first(State(sessions): Shared) -> Result<Response, Failure> {
    let id = sessions.create(&new_record()).await?;
    Ok(([(header::SET_COOKIE, sessions.cookies.issue(id))], "1").into_response())
}

impl Cookies {
    pub(super) fn new() -> Self {
        Self(Key::derive_from(SECRET.as_bytes()))
    }

    pub(super) fn authentic_id(&self, headers: &HeaderMap) -> Option<String> {
        let headers = headers.get_all(header::COOKIE).iter();
        let cookies =
            headers.filter_map(|header| header.to_str().ok()).flat_map(Cookie::split_parse);
        let ours = cookies.flatten().filter(|cookie| cookie.name() == NAME);
        let jar = CookieJar::new();
        let mut verified =
            ours.filter_map(|cookie| jar.signed(&self.0).verify(cookie.into_owned()));
        verified.next().map(|cookie| cookie.value().to_owned())
    }

    pub(super) fn issue(&self, id: String) -> String {
        let cookie = Cookie::build((NAME, id)).path("/").secure(true).http_only(true);
        let mut jar = CookieJar::new();
        jar.signed_mut(&self.0).add(cookie.same_site(SameSite::Lax));
        jar.iter().map(Cookie::to_string).collect()
    }
}

impl Sessions {
    async fn load(&self, id: &str) -> Result<(Record, i64), Failure> {
        let key = key(id);
        let mut pipeline = redis::Pipeline::with_capacity(2);
        pipeline.cmd("HGETALL").arg(&key).cmd("PTTL").arg(&key);
        Ok(pipeline.query_async(&mut self.redis.clone()).await?)
    }

    async fn create(&self, record: &Record) -> Result<String, Failure> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let mut create = self.create.prepare_invoke();
        create.key(key(&id)).arg(IDLE.as_millis() as u64);
        for (name, value) in record {
            create.arg(name).arg(value);
        }
        match create.invoke_async(&mut self.redis.clone()).await? {
            1 => Ok(id),
            _ => Err(Failure::NoSession),
        }
    }
}

pub(super) fn new_record() -> Record {
    let created = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let record = [USER, CSRF, (VISITS, "1"), ("created", &created.to_string())];
    record.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

pub(super) fn key(id: &str) -> String {
    format!("session:{id}")
}

pub(super) fn next_visit(record: &Record) -> Result<String, Failure> {
    let visits = record.get(VISITS).and_then(|visits| visits.parse::<u64>().ok());
    Ok((visits.ok_or(Failure::NoSession)? + 1).to_string())
}

pub(super) enum Failure {
    NoSession,
    Store,
}

impl From<redis::RedisError> for Failure {
    fn from(_: redis::RedisError) -> Self {
        Self::Store
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::NoSession => StatusCode::CONFLICT.into_response(),
            Self::Store => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }
}
