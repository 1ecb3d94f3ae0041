use std::time::{Duration, Instant};

use pycket_core::{Clock, SessionId, Ttl};

use crate::check::{answered, ensure};
use crate::steps::Store;
use crate::{Harness, Time};

/// How much longer than its ttl a record may live, and how exact `expires_in` must be.
const GRACE: Duration = Duration::from_secs(1);

/// By how much the store's clock and ours may differ over a short life.
const DRIFT: Duration = Duration::from_millis(50);

const TICK: Duration = Duration::from_millis(1);
const PAUSE: Duration = Duration::from_millis(10);

/// Reads the time by which a harness's records end, and lets it pass.
pub(crate) struct Watch {
    time: Time,
    origin: Instant,
}

impl Watch {
    pub(crate) fn new(harness: &impl Harness) -> Self {
        Self { time: harness.time(), origin: Instant::now() }
    }

    fn now(&self) -> Duration {
        match &self.time {
            Time::Real => self.origin.elapsed(),
            Time::Manual(clock) => clock.elapsed(),
        }
    }

    pub(crate) async fn pass(&self, duration: Duration) {
        self.pass_until(self.now() + duration).await;
    }

    async fn pass_until(&self, moment: Duration) {
        self.time.pass(moment.saturating_sub(self.now())).await;
    }

    /// Makes the call that gives a record its life, and notes between which moments that happened.
    pub(crate) async fn give<T>(&self, ttl: Ttl, call: impl Future<Output = T>) -> (Life<'_>, T) {
        let before = self.now();
        let answer = call.await;
        let after = self.now();
        let ttl = ttl.as_duration();
        (Life { watch: self, earliest_end: before + ttl, latest_end: after + ttl }, answer)
    }
}

/// The life of a record: it ends at some moment between the two, or up to a second later.
pub(crate) struct Life<'w> {
    watch: &'w Watch,
    earliest_end: Duration,
    latest_end: Duration,
}

impl Life<'_> {
    /// Lets the time pass until the record must be gone, and leaves it alone all the while.
    pub(crate) async fn pass(&self) {
        self.watch.pass_until(self.latest_end + GRACE).await;
    }

    /// Watches the record, by whatever `is_alive` does, until it ends, which must be on time.
    ///
    /// In real time only what is certain counts as a fault: an end that was *seen* before the earliest
    /// moment, or a sign of life that was *asked for* after the latest. A slow machine proves neither.
    pub(crate) async fn ends_on_time(&self, what: &str, is_alive: impl AsyncFn() -> bool) {
        if let Time::Manual(_) = self.watch.time {
            let last = self.earliest_end.saturating_sub(TICK);
            self.watch.pass_until((self.watch.now() + last) / 2).await;
            ensure(what, "alive in the middle", "gone", is_alive().await);
            self.watch.pass_until(last).await;
            ensure(what, "alive 1 ms before the end", "gone", is_alive().await);
            self.pass().await;
            ensure(what, "gone 1 s after the end", "alive", !is_alive().await);
            return;
        }
        loop {
            let asked = self.watch.now();
            let alive = is_alive().await;
            let answered = self.watch.now();
            if !alive {
                let early = self.earliest_end.saturating_sub(answered);
                return ensure(what, "a full life", format!("gone {early:?} early"), early < DRIFT);
            }
            let late = asked.saturating_sub(self.latest_end);
            ensure(
                what,
                "gone after 1 s at the latest",
                format!("alive {late:?} late"),
                late < GRACE,
            );
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The record must be alive, and `expires_in` must be what is left of its life.
    pub(crate) async fn is_left(&self, what: &str, store: &Store, id: &SessionId) {
        let before = self.watch.now();
        let loaded = answered(what, store.load(id).await);
        let after = self.watch.now();
        let Some(loaded) = loaded else {
            panic!("{what}\n  expected: a live record\n  came:     nothing");
        };
        let at_least = match self.watch.time {
            Time::Real => self.earliest_end.saturating_sub(after + GRACE),
            Time::Manual(_) => self.earliest_end.saturating_sub(after),
        };
        let at_most = self.latest_end.saturating_sub(before) + GRACE;
        let expires_in = loaded.expires_in;
        ensure(
            &format!("{what}: `expires_in`"),
            at_least..=at_most,
            expires_in,
            (at_least..=at_most).contains(&expires_in),
        );
    }
}
