//! The only user of `memcache::exp`, which may change with every minor version.

use std::io;

use memcache::exp::{
    AsyncMetaClient, Error, Get, GetStatus, Meta, MutationResult, MutationStatus, OpResult, Set,
};

use super::ConnectionSettings;
use crate::error::Failure;
use crate::record::Payload;

/// The connections to one server.
#[derive(Clone)]
pub(super) struct Client(AsyncMetaClient);

/// An item that the server returned.
pub(crate) struct Fetched {
    pub(crate) bytes: Vec<u8>,
    /// The number changes with every write, except when only the exptime changes.
    pub(crate) cas: u64,
    /// `None` if the server does not expire the item.
    pub(crate) seconds_left: Option<u64>,
}

/// A conditional write. The number is the CAS number that the item must have.
pub(crate) enum Write {
    /// Stores an item if there is none.
    Add(Payload),
    Replace(Payload, u64),
    /// Sets the exptime, whatever the CAS number. Then appends the bytes if it is as expected.
    Extend(Payload, u64),
    Delete(u64),
}

/// The result of a conditional write.
#[derive(Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Written {
    Done,
    /// There is another item.
    Changed,
    /// There is no item, or it cannot be extended.
    Missing,
}

impl Client {
    /// Looks up the name of the server. The client connects when a request needs a connection.
    pub(super) async fn new(addr: &str, settings: &ConnectionSettings) -> Result<Self, Failure> {
        let builder = AsyncMetaClient::builder()
            .connect_timeout(Some(settings.connect_timeout))
            .io_timeout(Some(settings.response_timeout))
            .max_idle(settings.max_connections);
        builder.connect_async(addr).await.map(Self).map_err(read_failure)
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Fetched>, Failure> {
        let request = self.0.get(key).meta(Meta::NONE.cas().ttl());
        let found = request.send().await.map_err(read_failure)?;
        if found.status == GetStatus::Miss {
            return Ok(None);
        }
        let cas = found.item.cas.filter(|cas| *cas > 0).ok_or(Failure::NoCas)?;
        let seconds_left = found.item.ttl.and_then(|seconds| seconds.try_into().ok());
        Ok(Some(Fetched { bytes: found.value.unwrap_or_default(), cas, seconds_left }))
    }

    pub(super) async fn write(&self, key: &str, write: &Write) -> Result<Written, Failure> {
        let set = |item: &Payload| self.0.set(key, &item.bytes).ttl_raw(item.exptime);
        written(match write {
            Write::Add(item) => set(item).add().send().await,
            Write::Replace(item, cas) => set(item).compare_cas(*cas).send().await,
            Write::Delete(cas) => self.0.delete(key).compare_cas(*cas).send().await,
            Write::Extend(suffix, cas) => return self.extend(key, suffix, *cas).await,
        })
    }

    /// Both steps are one round trip.
    async fn extend(&self, key: &str, suffix: &Payload, cas: u64) -> Result<Written, Failure> {
        let touch = Get::new(key).without_value().touch_raw(suffix.exptime);
        let append = Set::new(key, &suffix.bytes).append().compare_cas(cas);
        let answers = self.0.run_batch([touch.into(), append.into()]).await;
        let Ok([touched, appended]) = <[_; 2]>::try_from(answers.map_err(write_failure)?) else {
            return Err(Failure::Unanswered(not_memcached()));
        };
        let appended = appended.and_then(|result| match result {
            OpResult::Mutation(result) => Ok(result),
            _ => Err(Error::Protocol(String::new())),
        });
        match (written(appended), touched.map_err(write_failure)) {
            (Err(Failure::NotDone(source)), Ok(_) | Err(Failure::Unanswered(_))) => {
                Err(Failure::Unanswered(source))
            }
            (answer, _) => answer,
        }
    }
}

fn written(answer: Result<MutationResult, Error>) -> Result<Written, Failure> {
    match answer.map_err(write_failure)?.status {
        MutationStatus::Applied => Ok(Written::Done),
        MutationStatus::AlreadyExists | MutationStatus::CasMismatch => Ok(Written::Changed),
        MutationStatus::NotFound => Ok(Written::Missing),
        _ => Err(Failure::Unanswered(not_memcached())),
    }
}

/// Drops the error of the client, because it shows the key.
fn read_failure(error: Error) -> Failure {
    match error {
        Error::Io(source) => Failure::NotDone(source),
        Error::Timeout { .. } => Failure::NotDone(io::ErrorKind::TimedOut.into()),
        Error::Server(text) => Failure::ServerError(text),
        Error::Rejected(text) => Failure::Rejected(text),
        _ => Failure::NotDone(not_memcached()),
    }
}

fn write_failure(error: Error) -> Failure {
    match error {
        // The client calls every error after sending ambiguous, even a clear answer.
        Error::Ambiguous { source, .. } => match write_failure(*source) {
            Failure::NotDone(source) => Failure::Unanswered(source),
            answered => answered,
        },
        Error::Protocol(_) => Failure::Unanswered(not_memcached()),
        error => read_failure(error),
    }
}

fn not_memcached() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "this is no answer of memcached")
}
