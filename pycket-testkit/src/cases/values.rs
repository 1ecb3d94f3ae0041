//! What a record may hold: everything is loaded as it was stored.

use pycket_core::{Changes, ErrorKind, Metadata, Record, Timestamp, Ttl, Update, Value};

use crate::Harness;
use crate::check::{check, ensure};
use crate::fixtures::{HOUR, METADATA, Store, number, open, put, record, stored, text};
use crate::shown::shows_id;

/// A value keeps every byte, whether it is text, binary or empty.
pub async fn values_keep_every_byte(harness: &dyn Harness) {
    let store = open(harness).await;
    let every: Vec<u8> = (0..=u8::MAX).collect();
    let values = [
        ("every", every.clone()),
        ("twice", every.repeat(2)),
        ("none", Vec::new()),
        ("nul", vec![0]),
        ("line end", b"\r\n".to_vec()),
        ("memcached", b"\r\nEND\r\n".to_vec()),
        ("no utf-8", vec![0xff, 0xfe, 0xc0, 0x80]),
        ("text", b"ann".to_vec()),
        ("digits", b"007".to_vec()),
    ];
    round_trip(&store, values.map(|(name, bytes)| (name, Value::from(bytes)))).await;
}

/// A value of 512 kB is stored.
pub async fn large_value_is_stored(harness: &dyn Harness) {
    let store = open(harness).await;
    let bytes: Vec<u8> =
        (0..512_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    round_trip(&store, [("large", Value::from(bytes)), ("small", text("x"))]).await;
}

/// A value over the store's size limit is an error of kind `TooLarge`, and the record stays as it was. A
/// store without a limit stores the value.
pub async fn too_large_value_leaves_the_record_unchanged(harness: &dyn Harness) {
    let store = open(harness).await;
    let before = record([("user", "ann")]);
    let id = put(&store, &before, HOUR).await;
    let changes = Changes::new().set("user", text("bob")).set("huge", vec![b'x'; 4 << 20].into());
    let mut after = before.clone();
    after.apply(&changes);
    match store.update(&id, &changes, Some(Ttl::MAX)).await {
        Ok(answer) => {
            check("an update with a value of 4 MiB", Ok(answer), Update::Applied);
            check("the record after it", stored(&store, &id).await, Some(after));
        }
        Err(error) => {
            let kind = error.kind();
            ensure("an error", ErrorKind::TooLarge, kind, kind == ErrorKind::TooLarge);
            ensure(
                "the error's text",
                "a text without the id",
                format!("{error:?}"),
                !shows_id(&error, &id),
            );
            check("the record after it", stored(&store, &id).await, Some(before));
        }
    }
}

/// A record of five thousand names is stored, by a create and by an update.
pub async fn thousands_of_names_are_stored(harness: &dyn Harness) {
    let store = open(harness).await;
    let names: Vec<String> = (0..5_000).map(|i| format!("name {i}")).collect();
    round_trip(&store, (0_u64..).zip(&names).map(|(i, name)| (name.as_str(), number(i)))).await;
}

/// A name is stored unchanged, whatever it means to the store, its protocol or a language.
pub async fn hostile_names_are_stored(harness: &dyn Harness) {
    let store = open(harness).await;
    let long = "long ".repeat(2_000);
    let names = " |  |\n|\r\n|\0|a\0b|\"|'|\\|a b|a:b|{a}|*|%s|$1|über|日本語|🦀|\u{202e}|\u{feff}|get a|\
                 \r\nDEL *\r\n|1|-1|0|nil|null|true|NaN|../..|<script>|'; --";
    let names = names.split('|').chain([long.as_str()]);
    round_trip(&store, names.map(|name| (name, text(name)))).await;
}

/// Names that a store or a language uses for itself are names like any other, and do not change the
/// metadata.
pub async fn names_like_metadata_are_stored(harness: &dyn Harness) {
    let store = open(harness).await;
    let names = "v m t _ __ meta metadata _meta __meta__ \0meta :meta @meta created lifetime version ttl \
                 expires expires_in expires_at values record data id _id key cas flags __proto__ \
                 constructor __class__ toString";
    let names = names.split(' ');
    round_trip(&store, names.map(|name| (name, text(name)))).await;
}

/// Names are compared byte by byte: letter case, spaces and composed characters count.
pub async fn similar_names_stay_distinct(harness: &dyn Harness) {
    let store = open(harness).await;
    let names = ["a", "A", "a ", " a", "a\0", "a\n", "\u{e9}", "e\u{301}", "1", "01", "1.0"];
    round_trip(&store, names.map(|name| (name, text(name)))).await;
}

/// A record without values is stored.
pub async fn record_without_values_is_stored(harness: &dyn Harness) {
    let store = open(harness).await;
    let empty = record([]);
    let id = put(&store, &empty, HOUR).await;
    check("a load", stored(&store, &id).await, Some(empty.clone()));
    check("a delete", store.delete(&id).await, Some(empty));
}

/// The metadata are stored exactly, over their whole range.
pub async fn metadata_are_stored_exactly(harness: &dyn Harness) {
    let store = open(harness).await;
    let grants = [None, Some(Ttl::MIN), Some(HOUR), Some(Ttl::MAX)];
    // 2^53 + 1 is the first whole number that a floating point number cannot hold.
    for created in [0, 1, 1_700_000_000_123, (1 << 53) + 1, u64::MAX] {
        for granted in grants {
            let metadata =
                Metadata::new(Timestamp::from_unix_millis(created)).with_granted(granted);
            let created = Record::new(metadata, [("a", text("1"))]);
            let id = put(&store, &created, HOUR).await;
            check("a load", stored(&store, &id).await, Some(created.clone()));
            let id = put(&store, &record([("a", "1")]), HOUR).await;
            let changes = Changes::new().with_metadata(metadata);
            check("an update", store.update(&id, &changes, None).await, Update::Applied);
            check("a load after it", stored(&store, &id).await, Some(created.clone()));
            check("a delete", store.delete(&id).await, Some(created));
        }
    }
}

/// Stores the values by a create and by an update, and reads them by a load and by a delete.
async fn round_trip<'a>(store: &Store, values: impl IntoIterator<Item = (&'a str, Value)>) {
    let whole = Record::new(METADATA, values);

    let id = put(store, &whole, HOUR).await;
    check("a load after a create", stored(store, &id).await, Some(whole.clone()));

    let other = put(store, &record([]), HOUR).await;
    let sets = whole.iter().fold(Changes::new(), |all, (name, value)| all.set(name, value.clone()));
    check("an update that sets", store.update(&other, &sets, None).await, Update::Applied);
    check("a load after it", stored(store, &other).await, Some(whole.clone()));
    check("a delete", store.delete(&other).await, Some(whole.clone()));

    let removals = whole.names().fold(Changes::new(), Changes::remove);
    check("an update that removes", store.update(&id, &removals, None).await, Update::Applied);
    check("a load after it", stored(store, &id).await, Some(record([])));
}
