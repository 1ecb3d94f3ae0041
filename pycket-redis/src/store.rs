use std::time::Duration;
use std::{fmt, iter};

use async_trait::async_trait;
use pycket_core::{
    Changes, Creation, Error, ErrorKind, KeySpace, Loaded, Record, SessionId, SessionStore, Ttl,
    Update,
};
use redis::{Pipeline, Value};

use crate::RedisStoreBuilder;
use crate::address::Address;
use crate::error::{Request, classify};
use crate::format::{METADATA, corrupt, decode_record, encode_metadata};
use crate::scripts::{CREATE, DELETE, SET, Script, UPDATE};
use crate::servers::Servers;

/// Redis refuses longer strings, unless its `proto-max-bulk-len` says otherwise.
const MAX_VALUE_LEN: usize = 512 * 1024 * 1024;

/// Sessions in Redis, version 5 or later.
///
/// Make one for the process and share it: it holds the connections. It connects on first use and
/// reconnects by itself. Each operation is one round trip.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use pycket_core::SessionManager;
/// use pycket_redis::RedisStore;
///
/// let store = RedisStore::builder("redis://127.0.0.1/")
///     .prefix("shop:")
///     .response_timeout(Duration::from_millis(300))
///     .build()?;
/// let manager = SessionManager::new(Arc::new(store));
/// # Ok::<(), pycket_core::Error>(())
/// ```
pub struct RedisStore {
    servers: Servers,
    keys: KeySpace,
}

impl RedisStore {
    /// Settings for the server or the servers at `url`:
    ///
    /// - `redis://[user:password@]host[:port][/database]`, or `rediss://…` with TLS (feature `tls`);
    /// - `redis+unix:///path/to/socket[?db=database]`;
    /// - `redis+cluster://[user:password@]host[:port][,host[:port]…]`, or several `redis://…` with commas in
    ///   between: nodes of a cluster (feature `cluster`);
    /// - `redis+sentinel://[user:password@]host[:port][,host[:port]…][/service[/database]]`: the sentinels
    ///   that watch the primary (feature `sentinel`).
    pub fn builder(url: &str) -> RedisStoreBuilder {
        RedisStoreBuilder::new(Address::Url(url.into()))
    }

    pub(crate) fn new(servers: Servers, keys: KeySpace) -> Self {
        Self { servers, keys }
    }

    /// Looks at the record before it changes it.
    async fn merge(
        &self,
        id: &SessionId,
        changes: &Changes,
        sets: Vec<(&str, &pycket_core::Value)>,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        let (present, absent): (Vec<_>, Vec<_>) =
            changes.expectations().partition(|(_, value)| value.is_some());
        let ttl = ttl.map(ttl_text).unwrap_or_default();
        let counts = [present.len(), absent.len(), sets.len()].map(|n| n.to_string());
        let mut args = vec![ttl.as_bytes()];
        args.extend(counts.iter().map(String::as_bytes));
        for (name, value) in present {
            args.push(name.as_bytes());
            args.extend(value.map(pycket_core::Value::as_bytes));
        }
        args.extend(absent.iter().map(|(name, _)| name.as_bytes()));
        args.extend(sets.into_iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]));
        args.extend(changes.removals().map(str::as_bytes));
        updated(self.run(&UPDATE, id, &args).await?)
    }

    /// A script that is told a life and some fields.
    async fn put<'a>(
        &self,
        script: &Script,
        id: &SessionId,
        ttl: Ttl,
        fields: impl Iterator<Item = (&'a str, &'a pycket_core::Value)>,
    ) -> Result<Value, Error> {
        let ttl = ttl_text(ttl);
        let fields = fields.flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let args: Vec<_> = iter::once(ttl.as_bytes()).chain(fields).collect();
        self.run(script, id, &args).await
    }

    async fn run(&self, script: &Script, id: &SessionId, args: &[&[u8]]) -> Result<Value, Error> {
        if args.iter().any(|arg| arg.len() > MAX_VALUE_LEN) {
            return Err(Error::new(ErrorKind::TooLarge, "a session value is larger than 512 MiB"));
        }
        let answer = script.run(&self.servers, &self.keys.key(id), args).await;
        answer.map_err(|failure| classify(failure, Request::Write, id))
    }
}

#[async_trait]
impl SessionStore for RedisStore {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        let metadata = encode_metadata(record.metadata())?;
        let fields = iter::once((METADATA, &metadata)).chain(record.iter());
        match self.put(&CREATE, id, ttl, fields).await? {
            Value::Int(1) => Ok(Creation::Created),
            Value::Int(0) => Ok(Creation::Taken),
            _ => Err(nonsense()),
        }
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        let key = self.keys.key(id);
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline.cmd("HGETALL").arg(&key).cmd("PTTL").arg(&key);
        let answers = self.servers.read(&key, &pipeline).await;
        let answers = answers.map_err(|failure| classify(failure, Request::Read, id))?;
        let Ok([record, pttl]) = <[Value; 2]>::try_from(answers) else {
            return Err(nonsense());
        };
        let record = decode_record(record)?;
        Ok(record.zip(expires_in(&pttl)?).map(|(record, expires_in)| Loaded { record, expires_in }))
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        let metadata = changes.metadata().as_ref().map(encode_metadata).transpose()?;
        let sets = metadata.iter().map(|own| (METADATA, own)).chain(changes.sets());
        let only_sets = !changes.is_empty()
            && changes.expectations().len() == 0
            && changes.removals().next().is_none();
        match ttl.filter(|_| only_sets) {
            Some(ttl) => updated(self.put(&SET, id, ttl, sets).await?),
            None => self.merge(id, changes, sets.collect(), ttl).await,
        }
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        decode_record(self.run(&DELETE, id, &[]).await?)
    }
}

fn ttl_text(ttl: Ttl) -> String {
    ttl.as_millis().to_string()
}

fn updated(answer: Value) -> Result<Update, Error> {
    match answer {
        Value::Int(1) => Ok(Update::Applied),
        Value::Int(0) => Ok(Update::Gone),
        Value::Int(-1) => Ok(Update::Conflict),
        Value::Int(-2) => Err(corrupt("it is not a record of this version")),
        _ => Err(nonsense()),
    }
}

/// The answer to `PTTL`; `None` if the record ran out since it was read.
fn expires_in(pttl: &Value) -> Result<Option<Duration>, Error> {
    match *pttl {
        Value::Int(-2) => Ok(None),
        // Somebody made it immortal by hand; it is as long-lived as a record can be.
        Value::Int(-1) => Ok(Some(Ttl::MAX.as_duration())),
        Value::Int(millis) => Ok(Some(Duration::from_millis(millis.try_into().unwrap_or(0)))),
        _ => Err(nonsense()),
    }
}

fn nonsense() -> Error {
    corrupt("the store's answer makes no sense")
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("servers", &self.servers)
            .field("keys", &self.keys)
            .finish()
    }
}
