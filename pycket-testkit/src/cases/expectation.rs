//! Updates that are applied only if the record is as expected.

use pycket_core::{Changes, Metadata, Record, SessionId, Timestamp, Ttl, Update, Value};

use crate::Harness;
use crate::check::check;
use crate::fixtures::{HOUR, METADATA, open, put, record, stored, text};
use crate::observed::in_quiet;
use crate::timer::Timer;

/// An update whose expectation is met is applied.
pub async fn update_with_a_met_expectation_is_applied(harness: &dyn Harness) {
    let store = open(harness).await;
    let id = put(&store, &record([("n", "1"), ("other", "x")]), HOUR).await;
    let changes = Changes::new().expect("n", Some(text("1"))).set("n", text("2"));
    check("an update", store.update(&id, &changes, None).await, Update::Applied);
    let expected = record([("n", "2"), ("other", "x")]);
    check("the record", stored(&store, &id).await, Some(expected));
    check("the same update again", store.update(&id, &changes, None).await, Update::Conflict);
}

/// If the stored value is another than the expected one, or missing, the answer is `Conflict`.
pub async fn unexpected_value_is_a_conflict(harness: &dyn Harness) {
    let store = open(harness).await;
    let created = record([("n", "1")]);
    let id = put(&store, &created, HOUR).await;
    for name in ["n", "missing"] {
        let changes = Changes::new().expect(name, Some(text("2"))).set("n", text("3"));
        check("an update", store.update(&id, &changes, None).await, Update::Conflict);
        check("the record", stored(&store, &id).await, Some(created.clone()));
    }
}

/// An update can expect that a name is missing; if it is present, the answer is `Conflict`.
pub async fn absence_of_a_name_can_be_expected(harness: &dyn Harness) {
    let store = open(harness).await;
    let id = put(&store, &record([("a", "1")]), HOUR).await;
    let patterns = ["%", "a%", "_", "*", "?", "[a]"].into_iter();
    let missing = patterns.fold(Changes::new(), |all, name| all.expect(name, None));
    check("names like patterns", store.update(&id, &missing, None).await, Update::Applied);
    let changes = Changes::new().expect("lock", None).set("lock", text("mine"));
    check("an update", store.update(&id, &changes, None).await, Update::Applied);
    let expected = record([("a", "1"), ("lock", "mine")]);
    check("the record", stored(&store, &id).await, Some(expected.clone()));
    check("the same update again", store.update(&id, &changes, None).await, Update::Conflict);
    check("the record", stored(&store, &id).await, Some(expected));
}

/// A conflict changes nothing: no values, no metadata, no ttl.
pub async fn conflict_changes_nothing(harness: &dyn Harness) {
    let store = open(harness).await;
    let timer = Timer::new(harness);
    let created = record([("a", "1"), ("b", "2"), ("z", "3")]);
    let (expiry, id) = timer.put(&store, &created, HOUR).await;
    let metadata = Metadata::new(Timestamp::from_unix_millis(9)).with_granted(Some(HOUR));
    let changes = Changes::new()
        .set("a", text("x"))
        .remove("b")
        .set("new", text("x"))
        .with_metadata(metadata)
        .expect("z", Some(text("not this")));
    for ttl in [None, Some(Ttl::MIN), Some(Ttl::MAX)] {
        check("an update", store.update(&id, &changes, ttl).await, Update::Conflict);
        check("the record", stored(&store, &id).await, Some(created.clone()));
        expiry.check_expires_in("the remaining time", &store, &id).await;
    }
}

/// An update is applied only if all of its expectations are met.
pub async fn every_expectation_must_hold(harness: &dyn Harness) {
    let store = open(harness).await;
    let created = record([("a", "1"), ("b", "2"), ("c", "3")]);
    let id = put(&store, &created, HOUR).await;
    let all = Changes::new()
        .expect("a", Some(text("1")))
        .expect("b", Some(text("2")))
        .expect("c", Some(text("3")))
        .expect("d", None)
        .set("e", text("5"));
    for wrong in ["a", "b", "c", "d"] {
        let changes = all.clone().expect(wrong, Some(text("wrong")));
        check("an update", store.update(&id, &changes, None).await, Update::Conflict);
        check("the record", stored(&store, &id).await, Some(created.clone()));
    }
    check("an update", store.update(&id, &all, None).await, Update::Applied);
}

/// Without a live record the answer is `Ended`, whatever the update expects.
pub async fn ended_takes_precedence_over_conflict(harness: &dyn Harness) {
    let store = open(harness).await;
    let deleted = put(&store, &record([("a", "1")]), HOUR).await;
    store.delete(&deleted).await.unwrap();
    for id in [SessionId::generate(), deleted] {
        for value in [None, Some(text("1"))] {
            let changes = Changes::new().expect("a", value).set("b", text("2"));
            check("an update", store.update(&id, &changes, Some(HOUR)).await, Update::Ended);
            check("a load after it", stored(&store, &id).await, None);
        }
    }
}

/// An update of an expired record returns `Ended`, whatever it expects of the values that it had.
pub async fn expired_record_is_ended_and_no_conflict(harness: &dyn Harness) {
    in_quiet(async {
        let store = open(harness).await;
        let timer = Timer::new(harness);
        let ids: [_; 3] = timer.put_expired(&store, &record([("a", "1")])).await;
        for (id, expected) in ids.iter().zip([None, Some(text("1")), Some(text("2"))]) {
            let changes = Changes::new().expect("a", expected).set("b", text("2"));
            check("an update", store.update(id, &changes, Some(HOUR)).await, Update::Ended);
            check("a load after it", stored(&store, id).await, None);
        }
    })
    .await;
}

/// An update can expect a name that it does not change, and change a name that it does not expect.
pub async fn unchanged_name_can_be_expected(harness: &dyn Harness) {
    let store = open(harness).await;
    let id = put(&store, &record([("version", "7"), ("a", "1")]), HOUR).await;
    let changes = Changes::new().expect("version", Some(text("7"))).set("a", text("2"));
    check("an update", store.update(&id, &changes, None).await, Update::Applied);
    let expected = record([("version", "7"), ("a", "2")]);
    check("the record", stored(&store, &id).await, Some(expected.clone()));
    let changes = Changes::new().expect("version", Some(text("6"))).set("a", text("3"));
    check("an update", store.update(&id, &changes, None).await, Update::Conflict);
    check("the record", stored(&store, &id).await, Some(expected));
}

/// A touch checks its expectations too.
pub async fn touch_checks_expectations(harness: &dyn Harness) {
    let store = open(harness).await;
    let timer = Timer::new(harness);
    let created = record([("a", "1")]);
    let (expiry, id) = timer.put(&store, &created, HOUR).await;
    let wrong = Changes::new().expect("a", Some(text("2")));
    check("a touch", store.update(&id, &wrong, Some(Ttl::MAX)).await, Update::Conflict);
    expiry.check_expires_in("the remaining time", &store, &id).await;
    let right = Changes::new().expect("a", Some(text("1")));
    let expiry = timer.update("a touch", &store, &id, &right, Ttl::MAX).await;
    expiry.check_expires_in("the remaining time", &store, &id).await;
    check("the record", stored(&store, &id).await, Some(created));
}

/// Expectations compare every byte, and an empty value is not a missing one.
pub async fn expectations_compare_every_byte(harness: &dyn Harness) {
    let store = open(harness).await;
    let values: [&[u8]; 8] = [b"", b"\0", b"a", b"A", b"a\0", b"a\0b", b"\xff\xfe", b"\xc3\xbf"];
    for stored_bytes in values {
        let value = Value::from(stored_bytes.to_vec());
        let id = put(&store, &Record::new(METADATA, [("n", value)]), HOUR).await;
        for expected in values.map(Some).into_iter().chain([None]) {
            let same = expected == Some(stored_bytes);
            let answer = if same { Update::Applied } else { Update::Conflict };
            let expected = expected.map(|bytes| Value::from(bytes.to_vec()));
            let changes = Changes::new().expect("n", expected);
            let what = format!("an update where {stored_bytes:?} is stored");
            check(&what, store.update(&id, &changes, None).await, answer);
        }
    }
}
