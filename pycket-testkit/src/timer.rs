use std::sync::Arc;
use std::time::Duration;

use pycket_core::{Changes, Clock, Record, SessionId, SystemClock, Ttl, Update};

use crate::check::{answered, check, ensure};
use crate::fixtures::{Store, put};
use crate::observed::in_turn;
use crate::{Harness, Time};

/// How much longer than its ttl a record may live, and how exact `expires_in` must be.
const GRACE: Duration = Duration::from_secs(1);

/// How far the store's clock and ours may drift apart during a short ttl.
const DRIFT: Duration = Duration::from_millis(50);

const TICK: Duration = Duration::from_millis(1);
const PAUSE: Duration = Duration::from_millis(10);

/// Measures the time by which the records of a harness expire, and lets it pass.
pub(crate) struct Timer {
    time: Time,
    clock: Arc<dyn Clock>,
}

impl Timer {
    pub(crate) fn new(harness: &impl Harness) -> Self {
        let time = harness.time();
        let clock: Arc<dyn Clock> = match &time {
            Time::Real => Arc::new(SystemClock::new()),
            Time::Manual(clock) => Arc::new(clock.clone()),
        };
        Self { time, clock }
    }

    fn now(&self) -> Duration {
        self.clock.elapsed()
    }

    async fn pass_until(&self, moment: Duration) {
        self.time.pass(moment.saturating_sub(self.now())).await;
    }

    /// Stores a record under a new id.
    pub(crate) async fn put(
        &self,
        store: &Store,
        record: &Record,
        ttl: Ttl,
    ) -> (Expiry<'_>, SessionId) {
        self.start(ttl, put(store, record, ttl)).await
    }

    /// Makes an update that must be applied.
    pub(crate) async fn update(
        &self,
        what: &str,
        store: &Store,
        id: &SessionId,
        changes: &Changes,
        ttl: Ttl,
    ) -> Expiry<'_> {
        let (expiry, answer) = self.start(ttl, store.update(id, changes, Some(ttl))).await;
        check(what, answer, Update::Applied);
        expiry
    }

    /// Makes the call that sets a record's ttl, and notes between which moments it did so.
    pub(crate) async fn start<T>(
        &self,
        ttl: Ttl,
        call: impl Future<Output = T>,
    ) -> (Expiry<'_>, T) {
        let ttl = ttl.as_duration();
        let measured = async {
            let earliest = self.now() + ttl;
            let answer = call.await;
            (Expiry { timer: self, earliest, latest: self.now() + ttl }, answer)
        };
        in_turn(measured).await
    }
}

/// When a record expires: at some moment between the two, or up to a second later.
pub(crate) struct Expiry<'t> {
    timer: &'t Timer,
    earliest: Duration,
    latest: Duration,
}

impl Expiry<'_> {
    /// Lets time pass until the record must have ended, without any call in between.
    pub(crate) async fn pass(&self) {
        self.timer.pass_until(self.latest + GRACE).await;
    }

    /// In real time, waits until so long before the record expires.
    pub(crate) async fn wait_until(&self, before: Duration) {
        if let Time::Real = self.timer.time {
            self.timer.pass_until(self.earliest.saturating_sub(before)).await;
        }
    }

    /// Makes the record end after this real time, if the clock does not move by itself.
    pub(crate) async fn end_after(&self, wait: Duration) {
        if let Time::Manual(_) = self.timer.time {
            tokio::time::sleep(wait).await;
            self.pass().await;
        }
    }

    /// Asks `is_live` again and again until the record ends, which must be on time.
    ///
    /// In real time only two observations are certain: the record *was seen* to have ended too early, or it
    /// *was asked for* too late and is still live. A slow machine causes neither.
    pub(crate) async fn ends_on_time(&self, what: &str, is_live: impl AsyncFn() -> bool) {
        if let Time::Manual(_) = self.timer.time {
            let last = self.earliest.saturating_sub(TICK);
            self.timer.pass_until((self.timer.now() + last) / 2).await;
            ensure(what, "live after half of the ttl", "ended", is_live().await);
            self.timer.pass_until(last).await;
            ensure(what, "live 1 ms before its ttl passes", "ended", is_live().await);
            self.pass().await;
            ensure(what, "ended 1 s after its ttl has passed", "live", !is_live().await);
            return;
        }
        loop {
            let asked = self.timer.now();
            let is_live = is_live().await;
            if !is_live {
                let early = self.earliest.saturating_sub(self.timer.now());
                let got = format!("ended {early:?} early");
                return ensure(what, "live until its ttl passes", got, early < DRIFT);
            }
            let late = asked.saturating_sub(self.latest);
            let got = format!("live {late:?} after its ttl has passed");
            ensure(what, "ended 1 s after its ttl has passed", got, late < GRACE);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The record must be live, and `expires_in` must be its remaining time.
    pub(crate) async fn check_expires_in(&self, what: &str, store: &Store, id: &SessionId) {
        let before = self.timer.now();
        let loaded = answered(what, store.load(id).await);
        let after = self.timer.now();
        let Some(loaded) = loaded else {
            panic!("{what}\n  expected: a live record\n  got:      nothing");
        };
        let tolerance = match self.timer.time {
            Time::Real => GRACE,
            Time::Manual(_) => Duration::ZERO,
        };
        let at_least = self.earliest.saturating_sub(after + tolerance);
        let allowed = at_least..=self.latest.saturating_sub(before) + GRACE;
        let holds = allowed.contains(&loaded.expires_in);
        ensure(&format!("{what}: `expires_in`"), allowed, loaded.expires_in, holds);
    }
}
