//! All that is used of `memcache::exp`, a module that may change with every minor version.

use std::io;

use memcache::exp::{
    AsyncMetaClient, Error, Get, GetStatus, Meta, MutationResult, MutationStatus, OpResult, Set,
};

use crate::error::Failure;
use crate::server::Limits;

/// The connections to one server.
pub(crate) struct Client(AsyncMetaClient);

/// What the server has under a key.
pub(crate) struct Item {
    pub(crate) bytes: Vec<u8>,
    /// Another number after every change, except that of its life.
    pub(crate) cas: u64,
    /// How many seconds the server leaves it; `None` if it is never to expire.
    pub(crate) seconds_left: Option<u64>,
}

/// What became of a write that depends on what the server has.
#[derive(Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Swap {
    Done,
    /// There is another item than assumed.
    Changed,
    /// There is none, or an appending one does not suit it.
    Missing,
}

impl Client {
    /// Resolves the address. Connections are made when they are needed.
    pub(crate) async fn new(address: &str, limits: &Limits) -> Result<Self, Failure> {
        let builder = AsyncMetaClient::builder()
            .connect_timeout(Some(limits.connect_timeout))
            .io_timeout(Some(limits.response_timeout))
            .max_idle(limits.max_connections);
        builder.connect_async(address).await.map(Self).map_err(of_read)
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<Item>, Failure> {
        let request = self.0.get(key).meta(Meta::NONE.cas().ttl());
        let found = request.send().await.map_err(of_read)?;
        if found.status == GetStatus::Miss {
            return Ok(None);
        }
        let cas = found.item.cas.filter(|cas| *cas > 0).ok_or(Failure::WithoutCas)?;
        let seconds_left = found.item.ttl.and_then(|seconds| seconds.try_into().ok());
        Ok(Some(Item { bytes: found.value.unwrap_or_default(), cas, seconds_left }))
    }

    /// Stores where nothing is.
    pub(crate) async fn add(&self, key: &str, bytes: &[u8], exptime: u32) -> Result<Swap, Failure> {
        swap(self.0.set(key, bytes).ttl_raw(exptime).add().send().await)
    }

    pub(crate) async fn replace(
        &self,
        key: &str,
        bytes: &[u8],
        exptime: u32,
        cas: u64,
    ) -> Result<Swap, Failure> {
        swap(self.0.set(key, bytes).ttl_raw(exptime).compare_cas(cas).send().await)
    }

    pub(crate) async fn delete(&self, key: &str, cas: u64) -> Result<Swap, Failure> {
        swap(self.0.delete(key).compare_cas(cas).send().await)
    }

    /// Renews the life, and then appends to the item, in one round trip. The life is renewed even if the
    /// item has changed.
    pub(crate) async fn renew_and_append(
        &self,
        key: &str,
        bytes: &[u8],
        exptime: u32,
        cas: u64,
    ) -> Result<Swap, Failure> {
        let renew = Get::new(key).without_value().touch_raw(exptime);
        let append = Set::new(key, bytes).append().compare_cas(cas);
        let answers = self.0.run_batch([renew.into(), append.into()]).await.map_err(of_write)?;
        let Ok([renewed, appended]) = <[_; 2]>::try_from(answers) else {
            return Err(Failure::Unknown(nonsense()));
        };
        let appended = appended.and_then(|result| match result {
            OpResult::Mutation(result) => Ok(result),
            _ => Err(Error::Protocol(String::new())),
        });
        match (swap(appended), renewed.map_err(of_write)) {
            (Err(Failure::NotDone(source)), Ok(_) | Err(Failure::Unknown(_))) => {
                Err(Failure::Unknown(source))
            }
            (answer, _) => answer,
        }
    }
}

fn swap(answer: Result<MutationResult, Error>) -> Result<Swap, Failure> {
    match answer.map_err(of_write)?.status {
        MutationStatus::Applied => Ok(Swap::Done),
        MutationStatus::AlreadyExists | MutationStatus::CasMismatch => Ok(Swap::Changed),
        MutationStatus::NotFound => Ok(Swap::Missing),
        _ => Err(Failure::Unknown(nonsense())),
    }
}

/// The client's own error is never kept: it shows the key.
fn of_read(error: Error) -> Failure {
    match error {
        Error::Io(source) => Failure::NotDone(source),
        Error::Timeout { .. } => Failure::NotDone(io::ErrorKind::TimedOut.into()),
        Error::Server(words) => Failure::Failed(words),
        Error::Rejected(words) => Failure::Rejected(words),
        _ => Failure::NotDone(nonsense()),
    }
}

fn of_write(error: Error) -> Failure {
    match error {
        // The client calls everything ambiguous that comes after the sending, even a clear answer.
        Error::Ambiguous { source, .. } => match of_write(*source) {
            Failure::NotDone(source) => Failure::Unknown(source),
            known => known,
        },
        Error::Protocol(_) => Failure::Unknown(nonsense()),
        error => of_read(error),
    }
}

fn nonsense() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "this is no answer of memcached")
}
