use pycket_core::{Error, KeySpace, SessionId};

use crate::connection::{Fetched, Pool, Write, Written};
use crate::error::Access;
use crate::servers::Servers;

/// The item of one record, on the server that its key belongs to.
pub(crate) struct Item<'s> {
    id: &'s SessionId,
    key: String,
    hash: u64,
    pool: &'s Pool,
}

impl<'s> Item<'s> {
    pub(crate) fn new(servers: &'s Servers, keys: &KeySpace, id: &'s SessionId) -> Self {
        let key = keys.key(id);
        let (pool, hash) = servers.of(&key);
        Self { id, key, hash, pool }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) async fn get(&self) -> Result<Option<Fetched>, Error> {
        let answer = self.pool.get(&self.key).await;
        answer.map_err(|failure| failure.into_error(Access::Read, self.id))
    }

    pub(crate) async fn write(&self, write: Write) -> Result<Written, Error> {
        let answer = self.pool.write(&self.key, &write).await;
        answer.map_err(|failure| failure.into_error(Access::Write, self.id))
    }

    /// Whether or not the delete is carried out, the record has expired. So an unknown result is not ambiguous.
    pub(crate) async fn delete_expired(&self, cas: u64) -> Result<Written, Error> {
        let answer = self.pool.write(&self.key, &Write::Delete(cas)).await;
        answer.map_err(|failure| failure.into_error(Access::Read, self.id))
    }
}
