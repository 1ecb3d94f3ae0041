use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{Cmd, RedisError, Value};
use tokio::time::Instant;

use crate::connection::Failure;

/// How many replicas are waited for, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Replicas {
    pub(crate) count: u32,
    pub(crate) limit: Duration,
}

impl Replicas {
    /// The command that says how many have what went before it.
    pub(crate) fn wait(self) -> Cmd {
        let mut command = redis::cmd("WAIT");
        command.arg(self.count).arg(u64::try_from(self.limit.as_millis()).unwrap_or(u64::MAX));
        command
    }
}

/// Writes are done when so many replicas have them.
///
/// A session that gets no answer to a write reads the record, to see whether it happened. What it sees on
/// the primary may still be lost, so for a while that reading waits for the replicas too.
pub(crate) struct Safety {
    wanted: i64,
    unsettled: Mutex<HashMap<String, Instant>>,
}

impl Safety {
    /// Longer than a session takes to ask what became of its write.
    const UNSETTLED: Duration = Duration::from_secs(30);

    pub(crate) fn new(replicas: Replicas) -> Self {
        Self { wanted: replicas.count.into(), unsettled: Mutex::default() }
    }

    /// The answers but the last, if that says that enough replicas have them.
    pub(crate) fn confirmed(&self, mut answers: Vec<Value>) -> Result<Vec<Value>, Failure> {
        match answers.pop() {
            Some(Value::Int(replicas)) if replicas >= self.wanted => Ok(answers),
            _ => Err(Failure::Sent(too_few())),
        }
    }

    /// Remembers whether a write under the key left a question open.
    pub(crate) fn note(&self, key: &str, failure: Option<&Failure>) {
        let mut unsettled = self.unsettled();
        if failure.is_some_and(Failure::is_open) {
            let now = Instant::now();
            unsettled.retain(|_, end| *end > now);
            unsettled.insert(key.to_owned(), now + Self::UNSETTLED);
        } else if failure.is_none() && !unsettled.is_empty() {
            unsettled.remove(key);
        }
    }

    pub(crate) fn is_unsettled(&self, key: &str) -> bool {
        self.unsettled().get(key).is_some_and(|end| *end > Instant::now())
    }

    fn unsettled(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.unsettled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_few() -> RedisError {
    (redis::ErrorKind::Client, "fewer replicas than asked for have confirmed it in time").into()
}
