//! Which calls make an id live, and which end it.

use pycket_core::{Changes, Creation, Metadata, Record, SessionId, Timestamp, Ttl, Update};

use crate::Harness;
use crate::check::{answered, check, ensure};
use crate::fixtures::{
    HOUR, every_kind_of_update, fresh_namespace, open, open_in, put, record, stored, text, ttl,
};
use crate::timer::Timer;

/// A load of an id under which nothing was created returns nothing.
pub async fn load_of_an_unknown_id_returns_nothing(harness: &dyn Harness) {
    let store = open(harness).await;
    check("a load of an unknown id", stored(&store, &SessionId::generate()).await, None);
}

/// A load returns the whole record that was created.
pub async fn load_returns_the_whole_created_record(harness: &dyn Harness) {
    let store = open(harness).await;
    let metadata =
        Metadata::new(Timestamp::from_unix_millis(1)).with_granted(Some(ttl(86_400_000)));
    let created = Record::new(metadata, [("cart", text("3 apples")), ("user", text("ann"))]);
    let id = put(&store, &created, HOUR).await;
    check("a load", stored(&store, &id).await, Some(created.clone()));
    check("another load", stored(&store, &id).await, Some(created));
}

/// A create never overwrites: under the id of a live record it returns `Taken`, and changes neither the
/// record nor its ttl.
pub async fn create_never_overwrites(harness: &dyn Harness) {
    let store = open(harness).await;
    let timer = Timer::new(harness);
    let first = record([("user", "ann")]);
    let (expiry, id) = timer.put(&store, &first, HOUR).await;
    let second = Record::new(
        Metadata::new(Timestamp::from_unix_millis(7)).with_granted(Some(HOUR)),
        [("user", text("eve")), ("more", text("x"))],
    );
    let answer = store.create(&id, &second, Ttl::MAX).await;
    check("a create of a live id", answer, Creation::Taken);
    check("the record after it", stored(&store, &id).await, Some(first.clone()));
    check(
        "a create of the same record",
        store.create(&id, &first, Ttl::MAX).await,
        Creation::Taken,
    );
    expiry.check_expires_in("the remaining time", &store, &id).await;
}

/// An update never creates: without a live record it returns `Ended`, and there is still no record.
pub async fn update_never_creates(harness: &dyn Harness) {
    let store = open(harness).await;
    let id = SessionId::generate();
    for changes in every_kind_of_update() {
        for ttl in [None, Some(HOUR)] {
            let answer = store.update(&id, &changes, ttl).await;
            check("an update of an absent record", answer, Update::Ended);
            check("a load after it", stored(&store, &id).await, None);
        }
    }
    let first = record([("user", "ann")]);
    check("a create after it", store.create(&id, &first, HOUR).await, Creation::Created);
    check("the created record", stored(&store, &id).await, Some(first));
}

/// A delete returns the record exactly as it was when it was removed: its metadata, and its values with
/// every update.
pub async fn delete_returns_the_removed_record(harness: &dyn Harness) {
    let store = open(harness).await;
    let metadata = Metadata::new(Timestamp::from_unix_millis(123)).with_granted(Some(ttl(1)));
    let mut expected = Record::new(metadata, [("a", text("1")), ("b", text("2"))]);
    let id = put(&store, &expected, HOUR).await;
    let changes = Changes::new().set("c", text("3")).remove("a");
    check("an update", store.update(&id, &changes, None).await, Update::Applied);
    expected.apply(&changes);
    check("a delete", store.delete(&id).await, Some(expected));
    check("a load after it", stored(&store, &id).await, None);
}

/// A delete without a live record returns nothing; that is no error.
pub async fn delete_of_an_absent_record_returns_nothing(harness: &dyn Harness) {
    let store = open(harness).await;
    check("a delete of an unknown id", store.delete(&SessionId::generate()).await, None);
    let created = record([("user", "ann")]);
    let id = put(&store, &created, HOUR).await;
    check("the first delete", store.delete(&id).await, Some(created));
    check("the second delete", store.delete(&id).await, None);
}

/// After a delete only a create makes the id live again, and the new record holds nothing of the old one.
pub async fn only_create_revives_a_deleted_id(harness: &dyn Harness) {
    let store = open(harness).await;
    let id = put(&store, &record([("user", "ann"), ("old", "x")]), HOUR).await;
    store.delete(&id).await.unwrap();
    for changes in every_kind_of_update() {
        for ttl in [None, Some(HOUR)] {
            let answer = store.update(&id, &changes, ttl).await;
            check("an update of a deleted record", answer, Update::Ended);
            check("a load after it", stored(&store, &id).await, None);
        }
    }
    check("a delete of a deleted record", store.delete(&id).await, None);
    let new = record([("user", "bob")]);
    check("a create over it", store.create(&id, &new, HOUR).await, Creation::Created);
    check("the created record", stored(&store, &id).await, Some(new));
}

/// A deleted record leaves nothing in the store: no row, no item, no value. (Only for a harness with
/// [`Harness::records`].)
pub async fn deleted_records_leave_nothing_behind(harness: &dyn Harness) {
    let namespace = fresh_namespace();
    let store = open_in(harness, &namespace).await;
    if harness.records(&namespace).await.is_none() {
        return;
    }
    let created = record([("a", "1"), ("b", "2")]);
    let ids = [put(&store, &created, HOUR).await, put(&store, &record([]), HOUR).await];
    let id = SessionId::generate();
    for changes in every_kind_of_update() {
        check("an update", store.update(&id, &changes, Some(HOUR)).await, Update::Ended);
        check("an update", store.update(&ids[0], &changes, None).await, Update::Applied);
    }
    let count = harness.records(&namespace).await;
    ensure("two records", "two rows or more", count, count >= Some(2));
    for id in &ids {
        answered("a delete", store.delete(id).await);
    }
    let count = harness.records(&namespace).await;
    ensure("no record", Some(0), count, count == Some(0));
}

/// A record whose last value was removed is still live: it can be loaded, updated and deleted, and its id
/// is taken.
pub async fn record_stays_live_without_values(harness: &dyn Harness) {
    let store = open(harness).await;
    let id = put(&store, &record([("a", "1"), ("b", "2")]), HOUR).await;
    let empty = record([]);
    let changes = Changes::new().remove("a").remove("b");
    check("an update", store.update(&id, &changes, None).await, Update::Applied);
    check("a load", stored(&store, &id).await, Some(empty.clone()));
    check("a create", store.create(&id, &record([]), HOUR).await, Creation::Taken);
    check("a touch", store.update(&id, &Changes::new(), Some(HOUR)).await, Update::Applied);
    check("a delete", store.delete(&id).await, Some(empty));
}
