//! When a record expires.

use std::time::{Duration, Instant};

use pycket_core::{Changes, Creation, Metadata, Record, SessionId, Timestamp, Ttl, Update};
use tokio::task::{JoinHandle, yield_now};

use crate::check::{answered, check, ensure};
use crate::fixtures::{
    HOUR, Store, every_kind_of_update, fresh_namespace, joined, open, open_in, open_two, put,
    record, stored, text, ttl,
};
use crate::observed::in_quiet;
use crate::timer::Timer;
use crate::{Harness, Time};

/// Not a whole number of seconds: a store that counts in seconds must round up.
const SHORT: u64 = 1_400;

/// Expires soon, and not while a case still creates its records.
const BRIEF: u64 = 200;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A record is live until its ttl has passed, in whatever unit the store counts.
pub async fn record_is_live_until_its_ttl_passes(harness: &impl Harness) {
    let store = open(harness).await;
    let timer = Timer::new(harness);
    let created = record([("a", "1")]);
    let (expiry, id) = timer.put(&store, &created, ttl(SHORT)).await;
    let (later_expiry, later) = timer.put(&store, &created, ttl(SHORT + 500)).await;
    expiry.ends_on_time("a created record", async || is_live(&store, &id).await).await;
    // A store that rounds the end down to a second may be exact once, but not also half a second later.
    if let Time::Real = harness.time() {
        later_expiry.ends_on_time("another record", async || is_live(&store, &later).await).await;
    }
}

/// A record whose ttl has passed has ended for every method, at most one second later, even if nothing removes
/// expired records.
pub async fn record_has_ended_one_second_after_its_ttl(harness: &impl Harness) {
    in_quiet(async {
        let store = open(harness).await;
        let timer = Timer::new(harness);
        let old = record([("a", "1")]);
        let mut ids = [SessionId::generate(); 5];
        for id in &mut ids {
            *id = put(&store, &old, ttl(BRIEF)).await;
        }
        let (expiry, last) = timer.put(&store, &old, ttl(BRIEF)).await;
        expiry.ends_on_time("a record", async || is_live(&store, &last).await).await;
        let [loaded, updated, touched, deleted, created] = ids;
        check("a load", stored(&store, &loaded).await, None);
        let changes = Changes::new().set("b", text("2"));
        check("an update", store.update(&updated, &changes, Some(HOUR)).await, Update::Ended);
        check("a touch", store.update(&touched, &Changes::new(), Some(HOUR)).await, Update::Ended);
        check("a delete", store.delete(&deleted).await, None);
        check("a create", store.create(&created, &old, HOUR).await, Creation::Created);
        for id in [loaded, updated, touched, deleted] {
            check("a load after it", stored(&store, &id).await, None);
        }
    })
    .await;
}

/// A create over an expired record stores the new record whole. It keeps no value, no metadata and no ttl of
/// the expired one.
pub async fn create_over_an_expired_record_keeps_nothing(harness: &impl Harness) {
    in_quiet(async {
        let store = open(harness).await;
        let timer = Timer::new(harness);
        let metadata = Metadata::new(Timestamp::from_unix_millis(5)).with_granted(Some(HOUR));
        let old = Record::new(metadata, [("old", text("1")), ("both", text("1"))]);
        let new = record([("both", "2"), ("new", "2")]);
        let mut ids = [SessionId::generate(); 6];
        for id in &mut ids {
            *id = put(&store, &old, ttl(BRIEF)).await;
        }
        let (expiry, last) = timer.put(&store, &old, ttl(BRIEF)).await;
        expiry.ends_on_time("a record", async || is_live(&store, &last).await).await;
        // A create may remove a few expired records, the oldest first.
        for id in ids.iter().rev() {
            let (expiry, answer) = timer.start(HOUR, store.create(id, &new, HOUR)).await;
            check("a create over an expired record", answer, Creation::Created);
            check("the new record", stored(&store, id).await, Some(new.clone()));
            expiry.check_expires_in("the new ttl", &store, id).await;
            let changes = Changes::new().expect("old", None);
            check("an update", store.update(id, &changes, None).await, Update::Applied);
            check("a delete", store.delete(id).await, Some(new.clone()));
        }
    })
    .await;
}

/// An update that has to wait, for example for a lock on its row, does not bring a record back that ended
/// meanwhile.
pub async fn update_that_waits_revives_no_ended_record(harness: &impl Harness) {
    const ATTEMPTS: u32 = 8;
    let timer = Timer::new(harness);
    let namespace = fresh_namespace();
    let open = async || open_in(harness, &namespace).await;
    let mut race = Race {
        writer: open().await,
        others: open().await,
        reader: open().await,
        id: SessionId::generate(),
    };
    // The first call also connects.
    race.measure().await;
    let wait = race.measure().await;
    for attempt in 1..=ATTEMPTS {
        race.id = SessionId::generate();
        in_quiet(race.run(&timer, wait, wait * attempt / (ATTEMPTS + 1))).await;
    }
}

/// An update that renews a record, while other updates make it wait.
struct Race {
    writer: Store,
    others: Store,
    reader: Store,
    id: SessionId,
}

impl Race {
    async fn create(&self, ttl: Ttl) {
        let answer = self.writer.create(&self.id, &record([]), ttl).await;
        check("a create", answer, Creation::Created);
    }

    /// How long the update waits.
    async fn measure(&mut self) -> Duration {
        self.id = SessionId::generate();
        self.create(HOUR).await;
        let started = Instant::now();
        check("an update", Ok(joined(self.start().await.await)), Update::Applied);
        started.elapsed().clamp(Duration::from_millis(2), Duration::from_millis(200))
    }

    /// Starts the update so long before the record ends. No server may see the record after one has seen its
    /// end.
    async fn run(&self, timer: &Timer, wait: Duration, before: Duration) {
        let rest = Duration::from_millis(30);
        let short = Ttl::try_from(wait + rest).expect("less than a second");
        let (expiry, ()) = timer.start(short, self.create(short)).await;
        expiry.wait_until(before).await;
        let update = self.start().await;
        expiry.end_after(before).await;
        let mut has_ended = false;
        loop {
            let is_last = update.is_finished();
            let is_live = is_live(&self.reader, &self.id).await;
            ensure("a record that had ended", "nothing", "a record", !(has_ended && is_live));
            has_ended |= !is_live;
            if is_last {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let answer = joined(update.await);
        ensure("an update", "no Conflict", answer, answer != Update::Conflict);
    }

    async fn start(&self) -> JoinHandle<Update> {
        const OTHERS: usize = 8;
        let large = Changes::new().set("large", vec![b'x'; 100_000].into());
        for _ in 0..OTHERS {
            let (store, id, changes) = (self.others.clone(), self.id, large.clone());
            tokio::spawn(async move { store.update(&id, &changes, None).await });
        }
        yield_now().await;
        let (store, id) = (self.writer.clone(), self.id);
        tokio::spawn(async move {
            answered("an update", store.update(&id, &Changes::new(), Some(HOUR)).await)
        })
    }
}

/// One millisecond is a valid ttl, for a create and for a touch.
pub async fn one_millisecond_is_a_valid_ttl(harness: &impl Harness) {
    let store = open(harness).await;
    let timer = Timer::new(harness);
    let created = record([("a", "1")]);
    let (_, id) = timer.put(&store, &created, Ttl::MIN).await;
    let touched = put(&store, &created, HOUR).await;
    let expiry = timer.update("a touch", &store, &touched, &Changes::new(), Ttl::MIN).await;
    expiry.pass().await;
    check("a load", stored(&store, &id).await, None);
    check("a load after a touch", stored(&store, &touched).await, None);
}

/// Every ttl up to ten years works. A ttl of more than thirty days is not read as a date.
pub async fn ttl_over_thirty_days_is_not_a_date(harness: &impl Harness) {
    let store = open(harness).await;
    let second = Duration::from_secs(1);
    let ttls = [30 * DAY - second, 30 * DAY, 30 * DAY + second, 31 * DAY, 366 * DAY];
    for ttl in ttls.map(|ttl| Ttl::try_from(ttl).unwrap()).into_iter().chain([Ttl::MAX]) {
        let timer = Timer::new(harness);
        let created = record([("a", "1")]);
        let (expiry, id) = timer.put(&store, &created, ttl).await;
        expiry.check_expires_in(&format!("a create for {ttl:?}"), &store, &id).await;

        let touched = put(&store, &created, HOUR).await;
        let expiry = timer.update("a touch", &store, &touched, &Changes::new(), ttl).await;
        expiry.check_expires_in(&format!("a touch for {ttl:?}"), &store, &touched).await;
        check("the record", stored(&store, &touched).await, Some(created));
    }
}

/// `expires_in` is the remaining time, exact to the second, on every server.
pub async fn expires_in_is_the_remaining_time(harness: &impl Harness) {
    let [one, two] = open_two(harness).await;
    let timer = Timer::new(harness);
    let mut records = Vec::new();
    for ttl in [ttl(90_500), HOUR, Ttl::try_from(DAY).unwrap()] {
        let (expiry, id) = timer.put(&one, &record([("a", "1")]), ttl).await;
        expiry.check_expires_in("on the server that created it", &one, &id).await;
        expiry.check_expires_in("on another server", &two, &id).await;
        records.push((expiry, id));
    }
    harness.time().pass(Duration::from_millis(1_500)).await;
    for (expiry, id) in records {
        expiry.check_expires_in("some time later", &one, &id).await;
    }
}

/// A load does not renew the ttl.
pub async fn load_does_not_renew_the_ttl(harness: &impl Harness) {
    let store = open(harness).await;
    let timer = Timer::new(harness);
    let (expiry, id) = timer.put(&store, &record([("a", "1")]), ttl(SHORT)).await;
    expiry
        .ends_on_time("a record that is loaded all the time", async || is_live(&store, &id).await)
        .await;
}

/// An update without a ttl does not change the remaining time.
pub async fn update_without_ttl_keeps_the_remaining_time(harness: &impl Harness) {
    let store = open(harness).await;
    let timer = Timer::new(harness);
    let (expiry, id) = timer.put(&store, &record([("a", "1")]), HOUR).await;
    for changes in every_kind_of_update() {
        check("an update", store.update(&id, &changes, None).await, Update::Applied);
        expiry.check_expires_in("the remaining time", &store, &id).await;
    }

    let short = record([("a", "1")]);
    let (expiry, id) = timer.put(&store, &short, ttl(SHORT)).await;
    let is_alive = async || {
        let mut applied = true;
        for changes in every_kind_of_update() {
            let answer = store.update(&id, &changes, None).await;
            applied &= answered("an update", answer) == Update::Applied;
        }
        applied
    };
    expiry.ends_on_time("a record that is updated all the time", is_alive).await;
}

/// A touch, which is an update without changes, sets a new ttl, longer or shorter than the remaining time,
/// and changes no data.
pub async fn touch_changes_only_the_ttl(harness: &impl Harness) {
    let store = open(harness).await;
    let timer = Timer::new(harness);
    let created = record([("a", "1"), ("b", "2")]);
    let id = put(&store, &created, HOUR).await;
    for ttl in [Ttl::try_from(2 * DAY).unwrap(), ttl(90_000), HOUR] {
        let expiry = timer.update("a touch", &store, &id, &Changes::new(), ttl).await;
        expiry.check_expires_in("the remaining time", &store, &id).await;
        check("the record after it", stored(&store, &id).await, Some(created.clone()));
    }
    let expiry =
        timer.update("a touch that shortens", &store, &id, &Changes::new(), ttl(SHORT)).await;
    expiry.ends_on_time("a record with a shortened ttl", async || is_live(&store, &id).await).await;
}

/// An update with a ttl sets the new ttl along with the changes.
pub async fn update_with_ttl_sets_the_new_ttl(harness: &impl Harness) {
    let store = open(harness).await;
    let timer = Timer::new(harness);
    for changes in every_kind_of_update() {
        let id = put(&store, &record([("a", "1")]), HOUR).await;
        for ttl in [Ttl::try_from(2 * DAY).unwrap(), ttl(90_000)] {
            let expiry = timer.update("an update", &store, &id, &changes, ttl).await;
            expiry.check_expires_in("the remaining time", &store, &id).await;
        }
    }
}

/// A record that is created where another one was has its own values and its own ttl: the end of the other
/// one does not end it.
pub async fn recreated_record_has_its_own_ttl(harness: &impl Harness) {
    let store = open(harness).await;
    let timer = Timer::new(harness);
    let (old, new) = (record([("old", "1")]), record([("new", "2")]));

    let (_, expired) = timer.put(&store, &old, ttl(200)).await;
    let (old_expiry, deleted) = timer.put(&store, &old, ttl(300)).await;
    answered("a delete", store.delete(&deleted).await);
    let (deleted_expiry, answer) = timer.start(HOUR, store.create(&deleted, &new, HOUR)).await;
    check("a create over a deleted record", answer, Creation::Created);
    old_expiry.pass().await;
    deleted_expiry.check_expires_in("the new ttl", &store, &deleted).await;
    check("the new record", stored(&store, &deleted).await, Some(new.clone()));

    let (expiry, answer) = timer.start(HOUR, store.create(&expired, &new, HOUR)).await;
    check("a create over an expired record", answer, Creation::Created);
    expiry.check_expires_in("the new ttl", &store, &expired).await;
    check("the new record", stored(&store, &expired).await, Some(new));
}

async fn is_live(store: &Store, id: &SessionId) -> bool {
    answered("a load", store.load(id).await).is_some()
}
