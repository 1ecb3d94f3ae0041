use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use pycket_core::{Error, ErrorKind};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep, timeout_at};

/// More than the number of records that many requests of one process write at the same time.
const LOCKS: usize = 64;

const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// The pause stops growing after it has doubled this often.
const MAX_DOUBLINGS: u32 = 7;

/// Locks for operations that are retried because another writer changed the record first.
///
/// Those of one process retry one after the other, so that only other processes can come first again.
pub(crate) struct RetryLocks {
    locks: Box<[Mutex<()>]>,
    deadline: Duration,
    max_wait: Duration,
}

/// The retries of one operation, within its deadline.
pub(crate) struct RetryBudget<'l> {
    locks: &'l RetryLocks,
    hash: u64,
    deadline: Instant,
    has_waited: bool,
    _lock: Option<MutexGuard<'l, ()>>,
    pauses: u32,
}

impl RetryLocks {
    /// An operation is retried until the deadline. It waits at most `max_wait` for the lock.
    pub(crate) fn new(deadline: Duration, max_wait: Duration) -> Self {
        Self { locks: (0..LOCKS).map(|_| Mutex::default()).collect(), deadline, max_wait }
    }

    /// The budget of an operation on the record with this hash. It starts now.
    pub(crate) fn budget(&self, hash: u64) -> RetryBudget<'_> {
        let deadline = Instant::now() + self.deadline;
        RetryBudget { locks: self, hash, deadline, has_waited: false, _lock: None, pauses: 0 }
    }

    fn lock_of(&self, hash: u64) -> &Mutex<()> {
        let index = usize::try_from(hash % LOCKS as u64).unwrap_or(0);
        #[expect(clippy::indexing_slicing, reason = "reduced modulo the length just above")]
        &self.locks[index]
    }
}

impl RetryBudget<'_> {
    /// Waits before the next attempt, after another writer changed the record first.
    ///
    /// The wait for the lock is limited, because a caller that is no longer polled may hold it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] after the deadline.
    pub(crate) async fn wait(&mut self) -> Result<(), Error> {
        if self.has_waited {
            sleep(random_pause(self.pauses)).await;
            self.pauses += 1;
        } else {
            self.has_waited = true;
            let limit = self.deadline.min(Instant::now() + self.locks.max_wait);
            self._lock = timeout_at(limit, self.locks.lock_of(self.hash).lock()).await.ok();
        }
        if Instant::now() < self.deadline {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Conflict,
            "other writers of this session came first until the deadline; nothing was stored",
        ))
    }
}

/// A random part of a time that doubles with every pause, so that the same writers do not meet again.
fn random_pause(pauses: u32) -> Duration {
    let longest = FIRST_PAUSE * (1 << pauses.min(MAX_DOUBLINGS));
    let nanos = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(RandomState::new().hash_one(pauses) % nanos)
}
