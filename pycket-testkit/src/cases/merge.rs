//! What an update changes, and what it does not change.

use pycket_core::{Changes, Metadata, Record, Timestamp, Update};

use crate::Harness;
use crate::check::check;
use crate::fixtures::{HOUR, open, open_two, put, record, stored, text};

/// Names that an update does not mention keep the values that the store has at that moment.
pub async fn unmentioned_names_keep_their_values(harness: &dyn Harness) {
    let [one, two] = open_two(harness).await;
    let id = put(&one, &record([("a", "1"), ("b", "1")]), HOUR).await;
    let of_one = Changes::new().set("b", text("2"));
    let of_two = Changes::new().set("c", text("3"));
    check("an update", one.update(&id, &of_one, None).await, Update::Applied);
    check("another server's update", two.update(&id, &of_two, None).await, Update::Applied);
    let merged = record([("a", "1"), ("b", "2"), ("c", "3")]);
    check("the record", stored(&one, &id).await, Some(merged.clone()));
    check("the record, on the other server", stored(&two, &id).await, Some(merged));
}

/// A set replaces the whole value, longer or shorter.
pub async fn set_replaces_the_whole_value(harness: &dyn Harness) {
    let store = open(harness).await;
    let id = put(&store, &record([("a", "middle"), ("b", "1")]), HOUR).await;
    for value in ["a much longer value than before", "short", ""] {
        let changes = Changes::new().set("a", text(value));
        check("an update", store.update(&id, &changes, None).await, Update::Applied);
        let expected = record([("a", value), ("b", "1")]);
        check("the record", stored(&store, &id).await, Some(expected));
    }
}

/// A removal deletes the values under its names and no others.
pub async fn remove_deletes_only_the_named_values(harness: &dyn Harness) {
    let store = open(harness).await;
    let id = put(&store, &record([("a", "1"), ("ab", "2"), ("b", "3"), ("c", "4")]), HOUR).await;
    let changes = Changes::new().remove("a").remove("c");
    check("an update", store.update(&id, &changes, None).await, Update::Applied);
    let expected = record([("ab", "2"), ("b", "3")]);
    check("the record", stored(&store, &id).await, Some(expected.clone()));
    for pattern in ["%", "a%", "_", "*", "?", "[a-z]", "."] {
        let changes = Changes::new().set(pattern, text("x"));
        check("an update", store.update(&id, &changes, None).await, Update::Applied);
        let changes = Changes::new().remove(pattern);
        check("a removal", store.update(&id, &changes, None).await, Update::Applied);
        check("the record", stored(&store, &id).await, Some(expected.clone()));
    }
}

/// One update may set some names and remove others.
pub async fn one_update_sets_and_removes(harness: &dyn Harness) {
    let store = open(harness).await;
    let id = put(&store, &record([("a", "1"), ("b", "2"), ("c", "3")]), HOUR).await;
    let changes = Changes::new().set("a", text("x")).remove("b").set("d", text("4"));
    check("an update", store.update(&id, &changes, None).await, Update::Applied);
    let expected = record([("a", "x"), ("c", "3"), ("d", "4")]);
    check("the record", stored(&store, &id).await, Some(expected));
}

/// Removing a missing name is no error, and the rest of the update is applied.
pub async fn remove_of_a_missing_name_is_no_error(harness: &dyn Harness) {
    let store = open(harness).await;
    let id = put(&store, &record([("a", "1")]), HOUR).await;
    let changes = Changes::new().remove("missing");
    check("an update", store.update(&id, &changes, None).await, Update::Applied);
    check("the record", stored(&store, &id).await, Some(record([("a", "1")])));
    let changes = Changes::new().remove("missing").remove("a").set("b", text("2"));
    check("an update", store.update(&id, &changes, None).await, Update::Applied);
    check("the record", stored(&store, &id).await, Some(record([("b", "2")])));
}

/// A name that was removed can be set again.
pub async fn removed_name_can_be_set_again(harness: &dyn Harness) {
    let store = open(harness).await;
    let id = put(&store, &record([("a", "1")]), HOUR).await;
    for value in ["2", "3"] {
        let removal = Changes::new().remove("a");
        check("a removal", store.update(&id, &removal, None).await, Update::Applied);
        let set = Changes::new().set("a", text(value));
        check("a set after it", store.update(&id, &set, None).await, Update::Applied);
        check("the record", stored(&store, &id).await, Some(record([("a", value)])));
    }
}

/// An update without changes is applied to a live record, with or without a ttl, and changes no data.
pub async fn empty_update_of_a_live_record_is_applied(harness: &dyn Harness) {
    let store = open(harness).await;
    let created = record([("a", "1")]);
    let id = put(&store, &created, HOUR).await;
    for ttl in [None, Some(HOUR)] {
        check("an update", store.update(&id, &Changes::new(), ttl).await, Update::Applied);
        check("the record", stored(&store, &id).await, Some(created.clone()));
    }
}

/// The metadata change only if an update gives new ones.
pub async fn metadata_change_only_when_given(harness: &dyn Harness) {
    let store = open(harness).await;
    let first = Metadata::new(Timestamp::from_unix_millis(5)).with_granted(Some(HOUR));
    let second = Metadata::new(Timestamp::from_unix_millis(6));
    let id = put(&store, &Record::new(first, [("a", text("1"))]), HOUR).await;

    let changes = Changes::new().set("a", text("2"));
    check("an update of a value", store.update(&id, &changes, Some(HOUR)).await, Update::Applied);
    let expected = Record::new(first, [("a", text("2"))]);
    check("the record", stored(&store, &id).await, Some(expected));

    let changes = Changes::new().with_metadata(second);
    check("an update of the metadata", store.update(&id, &changes, None).await, Update::Applied);
    let expected = Record::new(second, [("a", text("2"))]);
    check("the record", stored(&store, &id).await, Some(expected));

    let changes = Changes::new().with_metadata(first).set("b", text("3")).remove("a");
    check("an update of both", store.update(&id, &changes, None).await, Update::Applied);
    let expected = Record::new(first, [("b", text("3"))]);
    check("the record", stored(&store, &id).await, Some(expected));
}
