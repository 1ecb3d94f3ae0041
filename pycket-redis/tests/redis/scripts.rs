//! Scripts with unusual input.

use pycket_core::{Creation, Update};

use crate::*;

#[tokio::test]
async fn operations_succeed_after_the_server_forgot_the_scripts() {
    let server = Server::redis();
    let store = store(&server);
    let mut operator = operator(&server);
    let mut forget = || run::<()>(&mut operator, "SCRIPT FLUSH");
    for _ in 0..3 {
        let id = SessionId::generate();
        forget();
        let created = store.create(&id, &record([("name", "value")]), HOUR).await;
        assert_eq!(created.unwrap(), Creation::Created);
        forget();
        let updated = store.update(&id, &set("name", "other"), None).await;
        assert_eq!(updated.unwrap(), Update::Applied);
        forget();
        assert_eq!(stored(&store, &id).await, Some(record([("name", "other")])));
        forget();
        assert_eq!(store.delete(&id).await.unwrap(), Some(record([("name", "other")])));
    }
}

#[tokio::test]
async fn update_may_name_tens_of_thousands_of_values() {
    const MANY: usize = 20_001;
    let names: Vec<_> = (0..MANY).map(|n| format!("name {n}")).collect();
    let metadata = *record([]).metadata();
    let all = |value: &str| {
        let values = names.iter().map(|name| (&**name, text(value))).collect::<Vec<_>>();
        Record::new(metadata, values)
    };
    let store = store(shared());
    let id = put(&store, &all("first")).await;
    assert_eq!(stored(&store, &id).await, Some(all("first")));

    let mut changes = Changes::new();
    for name in &names {
        changes = changes.expect(&**name, Some(text("first"))).set(&**name, text("second"));
        changes = changes.expect(format!("no {name}"), None);
    }
    assert_eq!(store.update(&id, &changes, Some(HOUR)).await.unwrap(), Update::Applied);
    assert_eq!(stored(&store, &id).await, Some(all("second")));
    assert_eq!(store.update(&id, &changes, Some(HOUR)).await.unwrap(), Update::Conflict);

    let mut changes = Changes::new().set("last", text("value"));
    for name in &names {
        changes = changes.remove(&**name).remove(format!("no {name}"));
    }
    assert_eq!(store.update(&id, &changes, None).await.unwrap(), Update::Applied);
    assert_eq!(stored(&store, &id).await, Some(record([("last", "value")])));
}

/// The scripts pass arguments to commands in chunks. The values at the ends of a chunk must not be lost or swapped.
#[tokio::test]
async fn records_around_the_size_of_a_script_chunk_are_complete() {
    let store = store(shared());
    let metadata = *record([]).metadata();
    for count in [0, 1, 498, 499, 500, 501, 998, 999, 1000, 1001, 1002, 1500] {
        let values = (0..count).map(|n| (format!("name {n}"), Value::encode(&n).unwrap()));
        let record = Record::new(metadata, values.collect::<Vec<_>>());
        let id = put(&store, &record).await;
        assert_eq!(stored(&store, &id).await.as_ref(), Some(&record), "{count} created");

        let other = put(&store, &Record::new(metadata, [("old", text("x"))])).await;
        let sets = record.iter().fold(Changes::new(), |c, (n, v)| c.set(n, v.clone()));
        let updated = store.update(&other, &sets.remove("old"), None).await;
        assert_eq!(updated.unwrap(), Update::Applied);
        assert_eq!(stored(&store, &other).await.as_ref(), Some(&record), "{count} set");

        let sets = record.iter().fold(Changes::new(), |c, (n, v)| c.set(n, v.clone()));
        let another = put(&store, &self::record([])).await;
        let expected = if count == 0 { self::record([]) } else { record.clone() };
        assert_eq!(store.update(&another, &sets, Some(HOUR)).await.unwrap(), Update::Applied);
        assert_eq!(stored(&store, &another).await, Some(expected), "{count} set with a life");
        let absent = SessionId::generate();
        assert_eq!(store.update(&absent, &sets, Some(HOUR)).await.unwrap(), Update::Ended);
        let exists: bool = run(&mut operator(shared()), &format!("EXISTS {}", key(&absent)));
        assert!(!exists, "{count}");

        let removals = record.names().fold(Changes::new(), Changes::remove);
        assert_eq!(store.update(&other, &removals, None).await.unwrap(), Update::Applied);
        assert_eq!(stored(&store, &other).await, Some(crate::record([])), "{count} removed");
    }
}

#[tokio::test]
async fn values_and_names_are_never_run_as_code() {
    let store = store(shared());
    let hostile =
        ["\0", "'); redis.call('FLUSHALL') --", "\r\n$3\r\n", "%s%n", "1e999", "{", "\u{7f}"];
    let mut changes = Changes::new();
    for name in hostile {
        changes = changes.set(name, text(name));
    }
    let id = put(&store, &record([])).await;
    assert_eq!(store.update(&id, &changes, None).await.unwrap(), Update::Applied);
    let found = stored(&store, &id).await.unwrap();
    assert_eq!(found.len(), hostile.len());
    for name in hostile {
        assert_eq!(found.get(name), Some(&text(name)), "{name:?}");
    }
}
