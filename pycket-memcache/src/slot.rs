use pycket_core::{Error, ErrorKind, KeySpace, Record, SessionId};

use crate::client::{Item, Swap};
use crate::error::{Failure, Request, classify};
use crate::format;
use crate::lifetime::Life;
use crate::race::Race;
use crate::server::Server;
use crate::servers::Servers;

/// The place of one record: its server and its key there.
pub(crate) struct Slot<'s> {
    id: &'s SessionId,
    key: String,
    server: &'s Server,
    hash: u64,
}

impl<'s> Slot<'s> {
    pub(crate) fn new(
        servers: &'s Servers,
        keys: &KeySpace,
        id: &'s SessionId,
    ) -> Result<Self, Error> {
        let key = keys.key(id);
        let no_server = || Error::new(ErrorKind::InvalidSetting, "there is no memcached server");
        let (server, hash) = servers.of(&key).ok_or_else(no_server)?;
        Ok(Self { id, key, server, hash })
    }

    pub(crate) fn race(&self) -> Race<'s> {
        self.server.race(self.hash)
    }

    pub(crate) async fn get(&self) -> Result<Option<Item>, Error> {
        self.answer(self.server.get(&self.key).await, Request::Read)
    }

    pub(crate) async fn add(&self, record: &Record, life: Life) -> Result<Swap, Error> {
        let bytes = format::encode(record, life.end)?;
        self.answer(self.server.add(&self.key, &bytes, life.exptime).await, Request::Write)
    }

    pub(crate) async fn replace(
        &self,
        record: &Record,
        life: Life,
        cas: u64,
    ) -> Result<Swap, Error> {
        let bytes = format::encode(record, life.end)?;
        let answer = self.server.replace(&self.key, &bytes, life.exptime, cas).await;
        self.answer(answer, Request::Write)
    }

    /// Sends nothing but the new end.
    pub(crate) async fn renew(&self, life: Life, cas: u64) -> Result<Swap, Error> {
        let bytes = format::encode_end(life.end);
        let answer = self.server.renew_and_append(&self.key, &bytes, life.exptime, cas).await;
        self.answer(answer, Request::Write)
    }

    pub(crate) async fn delete(&self, cas: u64) -> Result<Swap, Error> {
        self.answer(self.server.delete(&self.key, cas).await, Request::Write)
    }

    /// Removes what is out of time. Whether it happened matters to nobody who does not hear that it did.
    pub(crate) async fn bury(&self, cas: u64) -> Result<Swap, Error> {
        self.answer(self.server.delete(&self.key, cas).await, Request::Read)
    }

    fn answer<T>(&self, answer: Result<T, Failure>, request: Request) -> Result<T, Error> {
        answer.map_err(|failure| classify(failure, request, self.id))
    }
}
