use std::sync::Arc;

use pycket_core::{Error, ErrorKind, KeySpace, Record, SessionId};

use crate::connection::{Fetched, Pool, Write, Written};
use crate::error::Access;
use crate::expiry::ItemExpiry;
use crate::record;
use crate::servers::Servers;

/// The item of one record, on the server that its key belongs to.
pub(crate) struct Item<'s> {
    id: &'s SessionId,
    key: Arc<str>,
    hash: u64,
    pool: &'s Pool,
}

impl<'s> Item<'s> {
    pub(crate) fn new(
        servers: &'s Servers,
        keys: &KeySpace,
        id: &'s SessionId,
    ) -> Result<Self, Error> {
        let key = keys.key(id);
        let no_server = || Error::new(ErrorKind::InvalidSetting, "there is no memcached server");
        let (pool, hash) = servers.of(&key).ok_or_else(no_server)?;
        Ok(Self { id, key: key.into(), hash, pool })
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) async fn get(&self) -> Result<Option<Fetched>, Error> {
        let answer = self.pool.get(&self.key).await;
        answer.map_err(|failure| failure.into_error(Access::Read, self.id))
    }

    pub(crate) async fn add(&self, record: &Record, expiry: ItemExpiry) -> Result<Written, Error> {
        let bytes = record::encode(record, expiry.expires_at)?;
        self.write(Write::Add { bytes, exptime: expiry.exptime }, Access::Write).await
    }

    pub(crate) async fn replace(
        &self,
        record: &Record,
        expiry: ItemExpiry,
        cas: u64,
    ) -> Result<Written, Error> {
        let bytes = record::encode(record, expiry.expires_at)?;
        self.write(Write::Replace { bytes, exptime: expiry.exptime, cas }, Access::Write).await
    }

    /// Sends only the new expiry.
    pub(crate) async fn renew(&self, expiry: ItemExpiry, cas: u64) -> Result<Written, Error> {
        let suffix = record::encode_expiry(expiry.expires_at);
        self.write(Write::Extend { suffix, exptime: expiry.exptime, cas }, Access::Write).await
    }

    pub(crate) async fn delete(&self, cas: u64) -> Result<Written, Error> {
        self.write(Write::Delete { cas }, Access::Write).await
    }

    /// If the result is unknown the record has expired all the same, so the error is not ambiguous.
    pub(crate) async fn delete_expired(&self, cas: u64) -> Result<Written, Error> {
        self.write(Write::Delete { cas }, Access::Read).await
    }

    async fn write(&self, write: Write, access: Access) -> Result<Written, Error> {
        let answer = self.pool.write(&self.key, write).await;
        answer.map_err(|failure| failure.into_error(access, self.id))
    }
}
