//! When a record expires.

use std::time::Duration;

use pycket_core::{Changes, Creation, Metadata, Record, SessionId, Timestamp, Ttl, Update};

use crate::Harness;
use crate::check::{answered, check};
use crate::fixtures::{
    HOUR, every_kind_of_update, fresh_namespace, is_live, open, open_in, open_two, put, record,
    stored, text, ttl,
};
use crate::observed::{in_quiet, in_turn};
use crate::timer::Timer;

/// Not a whole number of seconds: a store that counts in seconds must round up.
const SHORT: u64 = 1_400;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A record is live until its ttl has passed, in whatever unit the store counts.
pub async fn record_is_live_until_its_ttl_passes(harness: &dyn Harness) {
    let store = open(harness).await;
    let timer = Timer::new(harness);
    // A store that rounds the end to a second may be exact once, but not also half a second later.
    for millis_of_second in [250, 750] {
        let start = async || {
            let created = record([("a", "1")]);
            in_turn(async {
                let ttl = timer.ttl_to(millis_of_second);
                timer.put(&store, &created, ttl).await
            })
            .await
        };
        timer.ends_on_time("a created record", start, async |id| is_live(&store, id).await).await;
    }
}

/// A record whose ttl has passed has ended for every method, at most one second later, even if nothing removes
/// expired records.
pub async fn record_has_ended_one_second_after_its_ttl(harness: &dyn Harness) {
    in_quiet(async {
        let store = open(harness).await;
        let old = record([("a", "1")]);
        let [loaded, updated, touched, deleted, created] =
            Timer::new(harness).put_expired(&store, &old).await;
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
pub async fn create_over_an_expired_record_keeps_nothing(harness: &dyn Harness) {
    in_quiet(async {
        let store = open(harness).await;
        let timer = Timer::new(harness);
        let metadata = Metadata::new(Timestamp::from_unix_millis(5)).with_granted(Some(HOUR));
        let old = Record::new(metadata, [("old", text("1")), ("both", text("1"))]);
        let new = record([("both", "2"), ("new", "2")]);
        let ids: [_; 6] = timer.put_expired(&store, &old).await;
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
/// meanwhile. (Only for a harness with [`Harness::hold`].)
pub async fn update_that_waits_revives_no_ended_record(harness: &dyn Harness) {
    in_quiet(async {
        // If the record ends before the updates have begun, with a longer ttl.
        for millis in [200, 1_000, 5_000] {
            if updates_wait_while_a_record_ends(harness, ttl(millis)).await {
                return;
            }
        }
    })
    .await;
}

/// Returns whether the record was live when the updates began.
async fn updates_wait_while_a_record_ends(harness: &dyn Harness, ttl: Ttl) -> bool {
    let namespace = fresh_namespace();
    let (store, timer) = (open_in(harness, &namespace).await, Timer::new(harness));
    let (expiry, id) = timer.put(&store, &record([("a", "1")]), ttl).await;
    let Some(held) = harness.hold(&namespace, &id).await else { return true };
    let changes = Changes::new().set("b", text("2"));
    let no_changes = Changes::new();
    let release = async {
        // The updates begin meanwhile, and come as far as the lock.
        for _ in 0..50 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let was_live = expiry.is_ahead();
        expiry.pass().await;
        drop(held);
        was_live
    };
    let (updated, touched, was_live) = tokio::join!(
        store.update(&id, &changes, Some(HOUR)),
        store.update(&id, &no_changes, Some(HOUR)),
        release
    );
    for (what, answer) in [("an update that waited", updated), ("a touch that waited", touched)] {
        // It may give up and return an error.
        if answer.is_ok() {
            check(what, answer, Update::Ended);
        }
    }
    check("a load after it", stored(&store, &id).await, None);
    was_live
}

/// One millisecond is a valid ttl, for a create and for a touch.
pub async fn one_millisecond_is_a_valid_ttl(harness: &dyn Harness) {
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
pub async fn ttl_over_thirty_days_is_not_a_date(harness: &dyn Harness) {
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
pub async fn expires_in_is_the_remaining_time(harness: &dyn Harness) {
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
pub async fn load_does_not_renew_the_ttl(harness: &dyn Harness) {
    let store = open(harness).await;
    let timer = Timer::new(harness);
    let created = record([("a", "1")]);
    let start = async || timer.put(&store, &created, ttl(SHORT)).await;
    let is_live = async |id: &SessionId| is_live(&store, id).await;
    timer.ends_on_time("a record that is loaded all the time", start, is_live).await;
}

/// An update without a ttl does not change the remaining time.
pub async fn update_without_ttl_keeps_the_remaining_time(harness: &dyn Harness) {
    let store = open(harness).await;
    let timer = Timer::new(harness);
    let (expiry, id) = timer.put(&store, &record([("a", "1")]), HOUR).await;
    for changes in every_kind_of_update() {
        check("an update", store.update(&id, &changes, None).await, Update::Applied);
        expiry.check_expires_in("the remaining time", &store, &id).await;
    }

    let short = record([("a", "1")]);
    let start = async || timer.put(&store, &short, ttl(SHORT)).await;
    let is_live = async |id: &SessionId| {
        let mut applied = true;
        for changes in every_kind_of_update() {
            let answer = store.update(id, &changes, None).await;
            applied &= answered("an update", answer) == Update::Applied;
        }
        applied
    };
    timer.ends_on_time("a record that is updated all the time", start, is_live).await;
}

/// A touch, which is an update without changes, sets a new ttl, longer or shorter than the remaining time,
/// and changes no data.
pub async fn touch_changes_only_the_ttl(harness: &dyn Harness) {
    let store = open(harness).await;
    let timer = Timer::new(harness);
    let created = record([("a", "1"), ("b", "2")]);
    let id = put(&store, &created, HOUR).await;
    for ttl in [Ttl::try_from(2 * DAY).unwrap(), ttl(90_000), HOUR] {
        let expiry = timer.update("a touch", &store, &id, &Changes::new(), ttl).await;
        expiry.check_expires_in("the remaining time", &store, &id).await;
        check("the record after it", stored(&store, &id).await, Some(created.clone()));
    }
    let start = async || {
        let id = put(&store, &created, HOUR).await;
        let touch = "a touch that shortens";
        (timer.update(touch, &store, &id, &Changes::new(), ttl(SHORT)).await, id)
    };
    let is_live = async |id: &SessionId| is_live(&store, id).await;
    timer.ends_on_time("a record with a shortened ttl", start, is_live).await;
}

/// An update with a ttl sets the new ttl along with the changes.
pub async fn update_with_ttl_sets_the_new_ttl(harness: &dyn Harness) {
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
pub async fn recreated_record_has_its_own_ttl(harness: &dyn Harness) {
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
