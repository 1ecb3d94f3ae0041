//! An update that gets the version of an earlier load. Without versions these cases test updates like any others.

use pycket_core::{Changes, Creation, SessionId, SessionStore, Ttl, Update, Version};

use crate::Harness;
use crate::check::{answered, check};
use crate::fixtures::{HOUR, open, open_two, put, record, stored, text, ttl};
use crate::timer::Timer;

/// An update with the version of the last load is applied, and so is a later one with the same version.
pub async fn update_after_a_load_is_applied(harness: &dyn Harness) {
    let store = open(harness).await;
    let id = put(&store, &record([("a", "1"), ("b", "1")]), HOUR).await;
    let version = version(&store, &id).await;
    let first = Changes::new().set("a", text("2")).with_version(version.clone());
    check("an update", store.update(&id, &first, Some(HOUR)).await, Update::Applied);
    check("the record", stored(&store, &id).await, Some(record([("a", "2"), ("b", "1")])));
    let touch = Changes::new().with_version(version.clone());
    check("a touch", store.update(&id, &touch, Some(HOUR)).await, Update::Applied);
    let second = Changes::new().remove("b").with_version(version);
    check("another update", store.update(&id, &second, None).await, Update::Applied);
    check("the record", stored(&store, &id).await, Some(record([("a", "2")])));
}

/// What others wrote after the load stays: values, removals, and the remaining time.
pub async fn writes_of_others_after_the_load_stay(harness: &dyn Harness) {
    let [one, two] = open_two(harness).await;
    let timer = Timer::new(harness);
    let id = put(&one, &record([("a", "1"), ("b", "1"), ("c", "1")]), HOUR).await;
    let version = version(&one, &id).await;
    let of_two = Changes::new().set("b", text("2")).remove("c").set("d", text("2"));
    let expiry = timer.update("another server's update", &two, &id, &of_two, Ttl::MAX).await;
    let of_one = Changes::new().set("a", text("2")).with_version(version);
    check("an update", one.update(&id, &of_one, None).await, Update::Applied);
    let expected = record([("a", "2"), ("b", "2"), ("d", "2")]);
    check("the record", stored(&two, &id).await, Some(expected));
    expiry.check_expires_in("the remaining time", &two, &id).await;
}

/// Expectations compare the values that the store has, not those of the load.
pub async fn expectations_compare_the_stored_values(harness: &dyn Harness) {
    let [one, two] = open_two(harness).await;
    let id = put(&one, &record([("a", "1")]), HOUR).await;
    let version = version(&one, &id).await;
    let set = |expected| {
        let changes = Changes::new().expect("a", Some(text(expected))).set("b", text("3"));
        changes.with_version(version.clone())
    };
    check("an update", one.update(&id, &set("2"), None).await, Update::Conflict);
    let of_two = Changes::new().set("a", text("2"));
    check("another server's update", two.update(&id, &of_two, None).await, Update::Applied);
    check("an update", one.update(&id, &set("1"), None).await, Update::Conflict);
    check("the record", stored(&two, &id).await, Some(record([("a", "2")])));
    check("another update", one.update(&id, &set("2"), None).await, Update::Applied);
    check("the record", stored(&two, &id).await, Some(record([("a", "2"), ("b", "3")])));
}

/// A record that was deleted after the load stays deleted. If it was created again, an update changes the new one, and
/// expectations compare its values.
pub async fn deleted_record_does_not_come_back(harness: &dyn Harness) {
    let [one, two] = open_two(harness).await;
    let id = put(&one, &record([("a", "1")]), HOUR).await;
    let version = version(&one, &id).await;
    check("another server's delete", two.delete(&id).await, Some(record([("a", "1")])));
    let set = Changes::new().set("b", text("2")).with_version(version.clone());
    let touch = Changes::new().with_version(version);
    let expect = set.clone().expect("a", Some(text("1")));
    check("an update", one.update(&id, &set, Some(HOUR)).await, Update::Ended);
    check("a touch", one.update(&id, &touch, Some(HOUR)).await, Update::Ended);
    check("the record", stored(&two, &id).await, None);
    let new = two.create(&id, &record([("c", "3")]), HOUR).await;
    check("another server's create", new, Creation::Created);
    check("an update of \"a\"", one.update(&id, &expect, Some(HOUR)).await, Update::Conflict);
    check("an update", one.update(&id, &set, Some(HOUR)).await, Update::Applied);
    check("the record", stored(&two, &id).await, Some(record([("b", "2"), ("c", "3")])));
}

/// A record that has expired after the load stays ended.
pub async fn ended_record_does_not_come_back(harness: &dyn Harness) {
    let store = open(harness).await;
    let timer = Timer::new(harness);
    let mut millis = 200;
    let (expiry, id, version) = loop {
        let (expiry, id) = timer.put(&store, &record([("a", "1")]), ttl(millis)).await;
        // A slow machine may load it too late.
        match answered("a load", store.load(&id).await) {
            Some(loaded) => break (expiry, id, loaded.version),
            None => millis *= 2,
        }
    };
    expiry.pass().await;
    let touch = Changes::new().with_version(version);
    let set = touch.clone().set("b", text("2"));
    check("an update", store.update(&id, &set, Some(HOUR)).await, Update::Ended);
    check("a touch", store.update(&id, &touch, Some(HOUR)).await, Update::Ended);
    check("the record", stored(&store, &id).await, None);
}

async fn version(store: &dyn SessionStore, id: &SessionId) -> Option<Version> {
    answered("a load", store.load(id).await).and_then(|loaded| loaded.version)
}
