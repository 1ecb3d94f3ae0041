use std::time::Duration;

use pycket_core::Error;

use super::RedisStoreBuilder;
use crate::address::invalid;
use crate::connection::Timeouts;
use crate::safety::Replicas;

impl RedisStoreBuilder {
    /// Two seconds: what a visitor may be kept waiting, while nothing is lost.
    pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(2);

    /// How long a call that surely did nothing is tried again, by default
    /// [two seconds](Self::DEFAULT_DEADLINE): while a server restarts, loads its data or is replaced by
    /// another one. Zero means once; a redirection is followed all the same, and a load whose connection
    /// broke is repeated once.
    ///
    /// It begins no attempt after that; one that has begun ends within its own timeouts. While no server
    /// answers, each request waits for so long before it fails, and as many wait as come in that time:
    /// set less where they must not pile up.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Makes each write wait until `count` replicas have it too, for `limit` at most, which is 1 ms or
    /// more and less than the [response timeout](Self::response_timeout). By default none is waited for,
    /// and a write that was acknowledged is lost if the primary fails before it was passed on.
    ///
    /// If fewer have it by then the answer is [`Ambiguous`](pycket_core::ErrorKind::Ambiguous): the
    /// primary has carried it out, and may still lose it. The session then asks what became of it, and
    /// that reading waits for the replicas, too.
    ///
    /// A connection on which a write waits does nothing else meanwhile, so this has connections of its
    /// own: as many again as [`max_connections`](Self::max_connections). Writes that come while one waits
    /// are sent together when it is done, and wait together.
    ///
    /// ```
    /// use std::time::Duration;
    /// use pycket_redis::RedisStore;
    ///
    /// let store = RedisStore::builder("redis://127.0.0.1/")
    ///     .max_connections(8)
    ///     .wait_replicas(1, Duration::from_millis(200))
    ///     .build()?;
    /// # Ok::<(), pycket_core::Error>(())
    /// ```
    pub fn wait_replicas(mut self, count: u32, limit: Duration) -> Self {
        self.replicas = Some(Replicas { count, limit });
        self
    }

    /// Who we are to the sentinels, if they ask; the URL says who we are to the primary.
    ///
    /// ```
    /// use pycket_redis::RedisStore;
    ///
    /// let store = RedisStore::builder("redis+sentinel://app:secret@10.0.0.1,10.0.0.2,10.0.0.3/sessions")
    ///     .sentinel_user("watcher", "secret")
    ///     .build()?;
    /// # Ok::<(), pycket_core::Error>(())
    /// ```
    #[cfg(feature = "sentinel")]
    pub fn sentinel_user(self, username: impl Into<String>, password: impl Into<String>) -> Self {
        self.known_to_sentinels(Some(username.into()), password.into())
    }

    /// The same where sentinels have a password and no users.
    #[cfg(feature = "sentinel")]
    pub fn sentinel_password(self, password: impl Into<String>) -> Self {
        self.known_to_sentinels(None, password.into())
    }

    pub(crate) fn known_to_sentinels(mut self, username: Option<String>, password: String) -> Self {
        self.sentinel_user = Some((username, password));
        self
    }
}

pub(super) fn check(replicas: Replicas, timeouts: Timeouts) -> Result<(), Error> {
    if replicas.count == 0 {
        return Err(invalid("`wait_replicas` must be 1 or more; leave it out to wait for none"));
    }
    if replicas.limit < Duration::from_millis(1) || replicas.limit >= timeouts.response {
        return Err(invalid(
            "the time limit of `wait_replicas` must be 1 ms or more, and less than \
             `response_timeout`",
        ));
    }
    Ok(())
}
