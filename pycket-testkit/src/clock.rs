use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use pycket_core::{Clock, Timestamp};

/// 2023-11-14T22:13:20Z. It is not zero, so that code which confuses the two readings of a clock fails.
const START: u64 = 1_700_000_000_000;

/// A clock that moves only when a test [advances](Self::advance) it.
///
/// Clones show the same time.
///
/// ```
/// use std::time::Duration;
/// use pycket_core::Clock;
/// use pycket_testkit::ManualClock;
///
/// let clock = ManualClock::new();
/// let started = clock.now();
/// clock.clone().advance(Duration::from_secs(60));
/// assert_eq!(clock.elapsed(), Duration::from_secs(60));
/// assert_eq!(clock.now().saturating_since(started), Duration::from_secs(60));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    elapsed: Arc<Mutex<Duration>>,
}

impl ManualClock {
    /// A clock at 2023-11-14T22:13:20Z whose [`elapsed`](Clock::elapsed) is zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves both readings of the clock, and of all its clones, forward.
    pub fn advance(&self, duration: Duration) {
        *self.lock() += duration;
    }

    fn lock(&self) -> MutexGuard<'_, Duration> {
        self.elapsed.lock().expect("no panic while it is locked")
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        let millis = self.elapsed().as_millis();
        Timestamp::from_unix_millis(START + u64::try_from(millis).expect("a clock of a test"))
    }

    fn elapsed(&self) -> Duration {
        *self.lock()
    }
}
