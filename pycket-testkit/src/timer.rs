use std::sync::Arc;
use std::time::Duration;

use pycket_core::{Changes, Clock, Record, SessionId, SystemClock, Ttl, Update};

use crate::check::{answered, check, ensure};
use crate::fixtures::{Store, is_live, put, ttl};
use crate::observed::in_turn;
use crate::{Harness, Time};

/// How much longer than its ttl a record may live, and how exact `expires_in` must be.
const GRACE: Duration = Duration::from_secs(1);

/// How far the store's clock and ours may drift apart during a short ttl.
const DRIFT: Duration = Duration::from_millis(50);

/// How close to its end a record must be observed, so that the observation proves something.
const CLOSE: Duration = Duration::from_millis(200);

/// How often an observation that was not close enough is repeated. After that it proves nothing, and fails
/// no driver.
const ATTEMPTS: u32 = 5;

const TICK: Duration = Duration::from_millis(1);
const PAUSE: Duration = Duration::from_millis(10);

/// Measures the time by which the records of a harness expire, and lets it pass.
pub(crate) struct Timer {
    time: Time,
    clock: Arc<dyn Clock>,
}

impl Timer {
    pub(crate) fn new(harness: &dyn Harness) -> Self {
        let time = harness.time();
        let clock: Arc<dyn Clock> = match &time {
            Time::Real => Arc::new(SystemClock::new()),
            Time::Manual(clock) => Arc::new(clock.clone()),
        };
        Self { time, clock }
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.elapsed()
    }

    /// A ttl with which a record ends so far into a second of the clock.
    pub(crate) fn ttl_to(&self, millis_of_second: u64) -> Ttl {
        const LEAST: u64 = 300;
        let now = self.clock.now().unix_millis() + LEAST;
        ttl(LEAST + (millis_of_second + 1_000 - now % 1_000) % 1_000)
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

    /// Stores records that end soon, and waits until all of them have ended. No record ends before the last one
    /// is stored, because a create may remove expired records.
    pub(crate) async fn put_expired<const N: usize>(
        &self,
        store: &Store,
        record: &Record,
    ) -> [SessionId; N] {
        let mut millis = 200;
        loop {
            let (first, id) = self.put(store, record, ttl(millis)).await;
            let mut ids = [id; N];
            for id in &mut ids[1..] {
                *id = put(store, record, ttl(millis)).await;
            }
            let (last, id) = self.put(store, record, ttl(millis)).await;
            let all_were_live = self.now() < first.earliest;
            let is_close = last.ends_on_time("a record", &async || is_live(store, &id).await).await;
            if (all_were_live && is_close) || millis > 10_000 {
                return ids;
            }
            millis *= 2;
        }
    }

    /// Stores a record with `start`, and asks `is_live` again and again until it ends, which must be on time.
    pub(crate) async fn ends_on_time<'t>(
        &'t self,
        what: &str,
        start: impl AsyncFn() -> (Expiry<'t>, SessionId),
        is_live: impl AsyncFn(&SessionId) -> bool,
    ) {
        for _ in 0..ATTEMPTS {
            let (expiry, id) = start().await;
            if expiry.ends_on_time(what, &async || is_live(&id).await).await {
                return;
            }
        }
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

    /// Whether the record has certainly not ended yet.
    pub(crate) fn is_ahead(&self) -> bool {
        self.timer.now() < self.earliest
    }

    /// Asks `is_live` again and again until the record ends, which must be on time. Returns whether it looked close
    /// to the end, before and after.
    ///
    /// In real time only two observations are certain: the record *was seen* to have ended too early, or it
    /// *was asked for* too late and is still live. A slow machine causes neither.
    async fn ends_on_time(&self, what: &str, is_live: &impl AsyncFn() -> bool) -> bool {
        if let Time::Manual(_) = self.timer.time {
            let last = self.earliest.saturating_sub(TICK);
            self.timer.pass_until((self.timer.now() + last) / 2).await;
            ensure(what, "live after half of the ttl", "ended", is_live().await);
            self.timer.pass_until(last).await;
            ensure(what, "live 1 ms before its ttl passes", "ended", is_live().await);
            self.pass().await;
            ensure(what, "ended 1 s after its ttl has passed", "live", !is_live().await);
            return true;
        }
        let mut was_live = Duration::ZERO;
        loop {
            let asked = self.timer.now();
            let is_live = is_live().await;
            if !is_live {
                let answered = self.timer.now();
                let early = self.earliest.saturating_sub(answered);
                let got = format!("ended {early:?} early");
                ensure(what, "live until its ttl passes", got, early < DRIFT);
                return was_live + CLOSE > self.latest && answered < self.latest + GRACE;
            }
            let late = asked.saturating_sub(self.latest);
            let got = format!("live {late:?} after its ttl has passed");
            ensure(what, "ended 1 s after its ttl has passed", got, late < GRACE);
            was_live = asked;
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
