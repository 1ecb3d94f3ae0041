use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{Cmd, RedisError, Value};
use tokio::time::Instant;

use crate::error::Failure;

/// How many replicas have to confirm a write, and within which time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplicaAcks {
    pub(crate) count: u32,
    pub(crate) timeout: Duration,
}

/// The keys whose last write may or may not be safe.
///
/// After an ambiguous write the session reads the record to see whether the write happened. The primary may
/// still lose what it shows, so for a while this read waits for the replicas too.
#[derive(Default)]
pub(super) struct UnconfirmedWrites(Mutex<HashMap<String, Instant>>);

impl ReplicaAcks {
    pub(super) fn command(self) -> Cmd {
        let mut command = redis::cmd("WAIT");
        command.arg(self.count).arg(u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX));
        command
    }

    /// Removes the answer to `WAIT`, which is the last one, and checks it.
    pub(super) fn check(self, mut answers: Vec<Value>) -> Result<Vec<Value>, Failure> {
        let error: RedisError = match answers.pop() {
            Some(Value::Int(count)) if count >= self.count.into() => return Ok(answers),
            Some(Value::ServerError(error)) => {
                let detail = RedisError::from(error).to_string();
                (redis::ErrorKind::Client, "the server refused to wait for replicas", detail).into()
            }
            _ => (redis::ErrorKind::Client, "too few replicas confirmed the write in time").into(),
        };
        Err(Failure::Unconfirmed(error))
    }
}

impl UnconfirmedWrites {
    /// Longer than a session takes to resolve a write.
    const REMEMBERED: Duration = Duration::from_secs(30);

    /// Remembers the key if the write is ambiguous, and forgets it if the write succeeded.
    pub(super) fn note(&self, key: &str, failure: Option<&Failure>) {
        let mut keys = self.lock();
        if failure.is_some_and(Failure::is_ambiguous) {
            let now = Instant::now();
            keys.retain(|_, end| *end > now);
            keys.insert(key.to_owned(), now + Self::REMEMBERED);
        } else if failure.is_none() {
            keys.remove(key);
        }
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        self.lock().get(key).is_some_and(|end| *end > Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
