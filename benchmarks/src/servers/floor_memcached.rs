//! The same on memcached, through the client library that pycket uses. A read is one get. A write is a get and a set
//! on condition that no other client wrote meanwhile. The record is JSON.

use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use memcache::exp::{AsyncMetaClient, Meta, MutationStatus, Ttl};

use super::floor::{Cookies, Failure, Record, key, new_record, next_visit};
use super::{IDLE, VISITS, routes};

/// More than there are clients, so that no request opens a connection.
const CONNECTIONS: usize = 1024;

pub(super) async fn router(address: &str) -> Result<Router> {
    let client = AsyncMetaClient::builder().max_idle(CONNECTIONS).connect_async(address).await?;
    let sessions = Sessions { client, cookies: Cookies::new() };
    Ok(routes(get(read), post(write), post(login), post(first)).with_state(Arc::new(sessions)))
}

struct Sessions {
    client: AsyncMetaClient,
    cookies: Cookies,
}

type Shared = State<Arc<Sessions>>;

async fn read(State(sessions): Shared, headers: HeaderMap) -> Result<String, Failure> {
    let id = sessions.cookies.authentic_id(&headers).ok_or(Failure::NoSession)?;
    let (record, _cas) = sessions.load(&id).await?;
    Ok(record.get(VISITS).ok_or(Failure::NoSession)?.clone())
}

async fn write(State(sessions): Shared, headers: HeaderMap) -> Result<String, Failure> {
    let id = sessions.cookies.authentic_id(&headers).ok_or(Failure::NoSession)?;
    loop {
        let (mut record, cas) = sessions.load(&id).await?;
        let visits = next_visit(&record)?;
        record.insert(VISITS.to_owned(), visits.clone());
        let set = sessions.client.set(key(&id), encode(&record)?).ttl(Ttl::from(IDLE));
        match set.compare_cas(cas).send().await?.status {
            MutationStatus::Applied => return Ok(visits),
            MutationStatus::CasMismatch => {}
            _ => return Err(Failure::NoSession),
        }
    }
}

/// Stores the new id before it removes the old one: after a failure in between, the old one still works.
async fn login(State(sessions): Shared, headers: HeaderMap) -> Result<Response, Failure> {
    let old = sessions.cookies.authentic_id(&headers).ok_or(Failure::NoSession)?;
    let (mut record, _cas) = sessions.load(&old).await?;
    let visits = next_visit(&record)?;
    record.insert(VISITS.to_owned(), visits.clone());
    let id = sessions.create(&record).await?;
    sessions.client.delete(key(&old)).send().await?;
    Ok(([(header::SET_COOKIE, sessions.cookies.issue(id))], visits).into_response())
}

async fn first(State(sessions): Shared) -> Result<Response, Failure> {
    let id = sessions.create(&new_record()).await?;
    Ok(([(header::SET_COOKIE, sessions.cookies.issue(id))], "1").into_response())
}

impl Sessions {
    async fn load(&self, id: &str) -> Result<(Record, u64), Failure> {
        let found = self.client.get(key(id)).meta(Meta::NONE.cas().ttl()).send().await?;
        let (value, cas) = found.value.zip(found.item.cas).ok_or(Failure::NoSession)?;
        Ok((serde_json::from_slice(&value).map_err(|_| Failure::Store)?, cas))
    }

    async fn create(&self, record: &Record) -> Result<String, Failure> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let add = self.client.set(key(&id), encode(record)?).ttl(Ttl::from(IDLE)).add();
        match add.send().await?.status {
            MutationStatus::Applied => Ok(id),
            _ => Err(Failure::NoSession),
        }
    }
}

fn encode(record: &Record) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(record).map_err(|_| Failure::Store)
}

impl From<memcache::exp::Error> for Failure {
    fn from(_: memcache::exp::Error) -> Self {
        Self::Store
    }
}
