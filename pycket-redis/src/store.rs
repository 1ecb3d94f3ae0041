use std::time::Duration;
use std::{fmt, iter};

use async_trait::async_trait;
use pycket_core::driver::corrupt;
use pycket_core::{
    Changes, Creation, Error, ErrorKind, KeySpace, Loaded, Record, SessionId, SessionStore, Ttl,
    Update,
};
use redis::{Cmd, Pipeline, Value};

use crate::RedisStoreBuilder;
use crate::builder::Address;
use crate::error::Access;
use crate::record::{METADATA, decode_record, encode_metadata};
use crate::scripts::{CREATE, DELETE, SET, Script, UPDATE};
use crate::topology::Topology;

/// Sessions in Redis, version 5 or later.
///
/// Build one store per process and share it: it holds the connections. It connects on first use and
/// reconnects by itself. Each operation is one round trip.
///
/// ```
/// use std::time::Duration;
/// use pycket_core::SessionManager;
/// use pycket_redis::RedisStore;
///
/// let store = RedisStore::builder("redis://127.0.0.1/")
///     .prefix("shop:")
///     .response_timeout(Duration::from_millis(300))
///     .build()?;
/// let manager = SessionManager::new(store);
/// # Ok::<(), pycket_core::Error>(())
/// ```
pub struct RedisStore {
    pub(crate) topology: Topology,
    pub(crate) keys: KeySpace,
    /// A value of this length could not be read again, because its answer is larger.
    pub(crate) max_response_bytes: usize,
}

impl RedisStore {
    /// A store with the default settings on the server or servers at `url`; [`builder`](Self::builder) lists
    /// the forms of the URL.
    ///
    /// ```
    /// let store = pycket_redis::RedisStore::new("redis://127.0.0.1/")?;
    /// # Ok::<(), pycket_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`RedisStoreBuilder::build`].
    pub fn new(url: &str) -> Result<Self, Error> {
        Self::builder(url).build()
    }

    /// Starts the settings of a store on the server or servers at `url`:
    ///
    /// - `redis://[user:password@]host[:port][/database]`, or `rediss://…` with TLS (feature `tls`);
    /// - `redis+unix:///path/to/socket[?db=database]`;
    /// - `redis+cluster://[user:password@]host[:port][,host[:port]…]`, or several `redis://…` separated by
    ///   commas: nodes of a cluster;
    /// - `redis+sentinel://[user:password@]host[:port][,host[:port]…][/service[/database]]`: the sentinels
    ///   that watch the primary.
    pub fn builder(url: &str) -> RedisStoreBuilder {
        RedisStoreBuilder::new(Address::Url(url.into()))
    }

    /// An update that the script checks before it changes anything.
    async fn merge(
        &self,
        id: &SessionId,
        changes: &Changes,
        metadata: Option<&pycket_core::Value>,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        let expected = || changes.expectations().filter_map(|(name, value)| Some((name, value?)));
        let missing = || changes.expectations().filter(|(_, value)| value.is_none());
        let sets = || metadata.map(|own| (METADATA, own)).into_iter().chain(changes.sets());
        self.check(expected())?;
        let answer = self.run(&UPDATE, id, |command| {
            match ttl {
                Some(ttl) => command.arg(ttl.as_millis()),
                None => command.arg(""),
            };
            command.arg(expected().count()).arg(missing().count()).arg(sets().count());
            add(command, expected());
            missing().for_each(|(name, _)| _ = command.arg(name));
            add(command, sets());
            changes.removals().for_each(|name| _ = command.arg(name));
        });
        updated(answer.await?)
    }

    fn check<'a>(&self, mut fields: impl Iterator<Item = Field<'a>>) -> Result<(), Error> {
        let len = |(name, value): Field<'_>| name.len().max(value.as_bytes().len());
        if fields.any(|field| len(field) >= self.max_response_bytes) {
            let message =
                "a session value is larger than `max_response_bytes`; store less or raise it";
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        Ok(())
    }

    async fn run(
        &self,
        script: &Script,
        id: &SessionId,
        args: impl Fn(&mut Cmd),
    ) -> Result<Value, Error> {
        let answer = script.run(&self.topology, &self.keys.key(id), args).await;
        answer.map_err(|failure| failure.into_error(Access::Write, id))
    }
}

#[async_trait]
impl SessionStore for RedisStore {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        let metadata = encode_metadata(record.metadata())?;
        self.check(record.iter())?;
        let answer = self.run(&CREATE, id, |command| {
            command.arg(ttl.as_millis());
            add(command, iter::once((METADATA, &metadata)).chain(record.iter()));
        });
        match answer.await? {
            Value::Int(1) => Ok(Creation::Created),
            Value::Int(0) => Ok(Creation::Taken),
            _ => Err(unexpected()),
        }
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        let key = self.keys.key(id);
        let mut commands = Pipeline::with_capacity(2);
        for verb in ["HGETALL", "PTTL"] {
            let mut command = Cmd::with_capacity(2, verb.len() + key.len());
            command.arg(verb).arg(&key);
            commands.add_command(command);
        }
        let answers = self.topology.read(&key, &commands).await;
        let answers = answers.map_err(|failure| failure.into_error(Access::Read, id))?;
        let Ok([record, pttl]) = <[Value; 2]>::try_from(answers) else {
            return Err(unexpected());
        };
        let record = decode_record(record)?;
        Ok(record
            .zip(expires_in(&pttl)?)
            .map(|(record, expires_in)| Loaded::new(record, expires_in)))
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        let metadata = changes.metadata().as_ref().map(encode_metadata).transpose()?;
        self.check(changes.sets())?;
        let only_sets = !changes.is_empty()
            && changes.expectations().len() == 0
            && changes.removals().next().is_none();
        let Some(ttl) = ttl.filter(|_| only_sets) else {
            return Box::pin(self.merge(id, changes, metadata.as_ref(), ttl)).await;
        };
        let answer = self.run(&SET, id, |command| {
            command.arg(ttl.as_millis());
            add(command, metadata.iter().map(|own| (METADATA, own)).chain(changes.sets()));
        });
        updated(answer.await?)
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        decode_record(self.run(&DELETE, id, |_| {}).await?)
    }
}

/// A name and its value.
type Field<'a> = (&'a str, &'a pycket_core::Value);

fn add<'a>(command: &mut Cmd, fields: impl Iterator<Item = Field<'a>>) {
    for (name, value) in fields {
        command.arg(name).arg(value.as_bytes());
    }
}

fn updated(answer: Value) -> Result<Update, Error> {
    match answer {
        Value::Int(1) => Ok(Update::Applied),
        Value::Int(0) => Ok(Update::Ended),
        Value::Int(-1) => Ok(Update::Conflict),
        Value::Int(-2) => Err(corrupt("it is not a record of this version")),
        _ => Err(unexpected()),
    }
}

/// Reads the answer to `PTTL`; `None` if the record expired after it was read.
pub(crate) fn expires_in(pttl: &Value) -> Result<Option<Duration>, Error> {
    match *pttl {
        Value::Int(-2) => Ok(None),
        // The expiry was removed by hand.
        Value::Int(-1) => Ok(Some(Ttl::MAX.as_duration())),
        Value::Int(millis) => Ok(Some(Duration::from_millis(millis.try_into().unwrap_or(0)))),
        _ => Err(unexpected()),
    }
}

fn unexpected() -> Error {
    corrupt("the answer of the server is not the expected one")
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("keys", &self.keys).finish_non_exhaustive()
    }
}
