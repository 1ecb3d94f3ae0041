//! How long a record lives.

use std::time::Duration;

use pycket_core::{Changes, Creation, SessionId, Ttl, Update};

use crate::Harness;
use crate::check::{answered, check};
use crate::life::Watch;
use crate::steps::{HOUR, METADATA, Store, open, open_two, put, record, stored, text, ttl};

/// Not a whole number of seconds, so that a store that counts in seconds must round up.
const SHORT: u64 = 1_900;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A record lives at least as long as its ttl says, however that divides into the store's own unit.
pub async fn a_record_lives_as_long_as_its_ttl(harness: &impl Harness) {
    let store = open(harness).await;
    let watch = Watch::new(harness);
    let (life, id) = watch.give(ttl(SHORT), put(&store, &record([("a", "1")]), ttl(SHORT))).await;
    life.ends_on_time("a created record", async || is_live(&store, &id).await).await;
}

/// A record is gone one second after its ttl has passed, for every method and without any call having
/// been made in between.
pub async fn a_record_is_gone_a_second_after_its_ttl(harness: &impl Harness) {
    let store = open(harness).await;
    let watch = Watch::new(harness);
    let old = record([("a", "1")]);
    let mut ids = [SessionId::generate(); 5];
    for id in &mut ids {
        *id = put(&store, &old, ttl(200)).await;
    }
    let last = put(&store, &old, ttl(200));
    let (life, _) = watch.give(ttl(200), last).await;
    life.pass().await;
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
}

/// One millisecond is a valid life, for a create and for a touch.
pub async fn one_millisecond_is_a_life(harness: &impl Harness) {
    let store = open(harness).await;
    let nothing = Changes::new();
    let watch = Watch::new(harness);
    let created = record([("a", "1")]);
    let (life, id) = watch.give(Ttl::MIN, put(&store, &created, Ttl::MIN)).await;
    life.pass().await;
    check("a load", stored(&store, &id).await, None);

    let id = put(&store, &created, HOUR).await;
    let touch = store.update(&id, &nothing, Some(Ttl::MIN));
    let (life, answer) = watch.give(Ttl::MIN, touch).await;
    check("a touch", answer, Update::Applied);
    life.pass().await;
    check("a load after it", stored(&store, &id).await, None);
}

/// Lives around and over thirty days, and up to ten years, are lives like any other: no store takes them
/// for a date.
pub async fn thirty_days_and_more_are_a_life(harness: &impl Harness) {
    let store = open(harness).await;
    let nothing = Changes::new();
    let second = Duration::from_secs(1);
    let lives = [30 * DAY - second, 30 * DAY, 30 * DAY + second, 31 * DAY, 366 * DAY];
    for ttl in lives.map(|life| Ttl::try_from(life).unwrap()).into_iter().chain([Ttl::MAX]) {
        let watch = Watch::new(harness);
        let created = record([("a", "1")]);
        let (life, id) = watch.give(ttl, put(&store, &created, ttl)).await;
        life.is_left(&format!("a create for {ttl:?}"), &store, &id).await;

        let touched = put(&store, &created, HOUR).await;
        let touch = store.update(&touched, &nothing, Some(ttl));
        let (life, answer) = watch.give(ttl, touch).await;
        check("a touch", answer, Update::Applied);
        life.is_left(&format!("a touch for {ttl:?}"), &store, &touched).await;
        check("the record", stored(&store, &touched).await, Some(created));
    }
}

/// `expires_in` is what is left of the life, right to the second, whichever server asks.
pub async fn expires_in_is_what_is_left(harness: &impl Harness) {
    let [one, two] = open_two(harness).await;
    let watch = Watch::new(harness);
    let mut lives = Vec::new();
    for ttl in [ttl(90_500), HOUR, Ttl::try_from(DAY).unwrap()] {
        let (life, id) = watch.give(ttl, put(&one, &record([("a", "1")]), ttl)).await;
        life.is_left("on the server that created it", &one, &id).await;
        life.is_left("on another server", &two, &id).await;
        lives.push((life, id));
    }
    watch.pass(Duration::from_millis(2_500)).await;
    for (life, id) in lives {
        life.is_left("some time later", &one, &id).await;
    }
}

/// Loading a record does not renew its life.
pub async fn loading_does_not_renew(harness: &impl Harness) {
    let store = open(harness).await;
    let watch = Watch::new(harness);
    let (life, id) = watch.give(ttl(SHORT), put(&store, &record([("a", "1")]), ttl(SHORT))).await;
    life.ends_on_time("a record that is loaded all the time", async || is_live(&store, &id).await)
        .await;
}

/// An update without a ttl leaves the remaining life as it is.
pub async fn an_update_without_a_ttl_leaves_the_life_alone(harness: &impl Harness) {
    let store = open(harness).await;
    let watch = Watch::new(harness);
    let (life, id) = watch.give(HOUR, put(&store, &record([("a", "1")]), HOUR)).await;
    for changes in every_kind_of_change() {
        check("an update", store.update(&id, &changes, None).await, Update::Applied);
        life.is_left("the life after it", &store, &id).await;
    }

    let short = record([("a", "1")]);
    let (life, id) = watch.give(ttl(SHORT), put(&store, &short, ttl(SHORT))).await;
    let is_alive = async || {
        let mut applied = true;
        for changes in every_kind_of_change() {
            let answer = store.update(&id, &changes, None).await;
            applied &= answered("an update", answer) == Update::Applied;
        }
        applied
    };
    life.ends_on_time("a record that is updated all the time", is_alive).await;
}

/// A touch, which is an update without changes, gives the record a new life, longer or shorter than what
/// was left of the old one, and carries no data.
pub async fn a_touch_renews_the_life_and_nothing_else(harness: &impl Harness) {
    let store = open(harness).await;
    let nothing = Changes::new();
    let watch = Watch::new(harness);
    let created = record([("a", "1"), ("b", "2")]);
    let id = put(&store, &created, HOUR).await;
    for ttl in [Ttl::try_from(2 * DAY).unwrap(), ttl(90_000), HOUR] {
        let touch = store.update(&id, &nothing, Some(ttl));
        let (life, answer) = watch.give(ttl, touch).await;
        check("a touch", answer, Update::Applied);
        life.is_left("the life after it", &store, &id).await;
        check("the record after it", stored(&store, &id).await, Some(created.clone()));
    }
    let touch = store.update(&id, &nothing, Some(ttl(SHORT)));
    let (life, answer) = watch.give(ttl(SHORT), touch).await;
    check("a touch that shortens", answer, Update::Applied);
    life.ends_on_time("the shortened life", async || is_live(&store, &id).await).await;
}

/// An update with a ttl gives the record a new life along with the changes.
pub async fn an_update_with_a_ttl_renews_the_life(harness: &impl Harness) {
    let store = open(harness).await;
    let watch = Watch::new(harness);
    for changes in every_kind_of_change() {
        let id = put(&store, &record([("a", "1")]), HOUR).await;
        for ttl in [Ttl::try_from(2 * DAY).unwrap(), ttl(90_000)] {
            let update = store.update(&id, &changes, Some(ttl));
            let (life, answer) = watch.give(ttl, update).await;
            check("an update", answer, Update::Applied);
            life.is_left("the life after it", &store, &id).await;
        }
    }
}

/// A record that is created where another one was has its own values and its own life; what was to end
/// the other one does not end it.
pub async fn a_recreated_record_has_its_own_life(harness: &impl Harness) {
    let store = open(harness).await;
    let watch = Watch::new(harness);
    let (old, new) = (record([("old", "1")]), record([("new", "2")]));

    let (short, expired) = watch.give(ttl(200), put(&store, &old, ttl(200))).await;
    short.pass().await;
    let create = store.create(&expired, &new, HOUR);
    let (life, answer) = watch.give(HOUR, create).await;
    check("a create over an expired record", answer, Creation::Created);
    life.is_left("the new life", &store, &expired).await;
    check("the new record", stored(&store, &expired).await, Some(new.clone()));

    let (short, deleted) = watch.give(ttl(1_000), put(&store, &old, ttl(1_000))).await;
    answered("a delete", store.delete(&deleted).await);
    let create = store.create(&deleted, &new, HOUR);
    let (life, answer) = watch.give(HOUR, create).await;
    check("a create over a deleted record", answer, Creation::Created);
    short.pass().await;
    life.is_left("the new life", &store, &deleted).await;
    check("the new record", stored(&store, &deleted).await, Some(new));
}

async fn is_live(store: &Store, id: &SessionId) -> bool {
    answered("a load", store.load(id).await).is_some()
}

fn every_kind_of_change() -> [Changes; 4] {
    [
        Changes::new().set("b", text("2")),
        Changes::new().remove("b"),
        Changes::new(),
        Changes::new().with_metadata(METADATA),
    ]
}
