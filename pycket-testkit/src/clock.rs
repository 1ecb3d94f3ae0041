use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pycket_core::{Clock, Timestamp};

/// 2023-11-14T22:13:20Z: some day, so that no code takes the wall clock for the time since the start.
const START: u64 = 1_700_000_000_000;

/// A clock that stands still until it is told to [`advance`](Self::advance).
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
    elapsed_nanos: Arc<AtomicU64>,
}

impl ManualClock {
    /// A clock at 2023-11-14T22:13:20Z whose [`elapsed`](Clock::elapsed) is zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves both readings of the clock, and of all its clones, forward.
    ///
    /// # Panics
    ///
    /// Beyond 584 years.
    pub fn advance(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).expect("a test's clock runs for 584 years");
        let earlier = self.elapsed_nanos.fetch_add(nanos, Ordering::SeqCst);
        assert!(earlier.checked_add(nanos).is_some(), "a test's clock runs for 584 years");
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        let millis = self.elapsed_nanos.load(Ordering::SeqCst) / 1_000_000;
        Timestamp::from_unix_millis(START + millis)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed_nanos.load(Ordering::SeqCst))
    }
}
