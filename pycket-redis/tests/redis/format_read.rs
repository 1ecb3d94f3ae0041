//! A record that another program wrote in the format of `docs/wire-format.md` is a session.

use std::collections::BTreeMap;

use rmpv::Value as Pack;
use serde::Deserialize;

use crate::*;

#[derive(Debug, Deserialize, PartialEq)]
struct User {
    name: String,
    age: u8,
    nick: Option<String>,
    #[serde(default)]
    added_later: bool,
    limits: BTreeMap<String, (i64, f64)>,
}

fn pack(value: &Pack) -> Vec<u8> {
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, value).unwrap();
    bytes
}

/// Writes a record with plain commands.
fn write(created: u64, granted: Pack, values: &[(&str, Pack)]) -> SessionId {
    let id = SessionId::generate();
    let metadata = Pack::Array(vec![1.into(), created.into(), granted]);
    let mut pipeline = redis::pipe();
    pipeline.atomic().cmd("HSET").arg(key(&id)).arg("").arg(pack(&metadata));
    for (name, value) in values {
        pipeline.arg(*name).arg(pack(value));
    }
    pipeline.cmd("PEXPIRE").arg(key(&id)).arg(3_600_000);
    pipeline.exec(&mut operator(shared())).unwrap();
    id
}

fn life(id: &SessionId) -> u64 {
    run(&mut operator(shared()), &format!("PTTL {}", key(id)))
}

fn map<const N: usize>(entries: [(&str, Pack); N]) -> Pack {
    Pack::Map(entries.map(|(key, value)| (key.into(), value)).into())
}

#[tokio::test]
async fn record_of_another_program_is_a_session() {
    let limits = map([("day", Pack::Array(vec![(-5).into(), 0.5.into()]))]);
    let user = map([
        ("limits", limits),
        ("unknown", Pack::Array(vec![Pack::Nil])),
        ("age", 44.into()),
        ("nick", Pack::Nil),
        ("name", "Ann".into()),
    ]);
    let values = [
        ("user", user),
        ("Grüße", "Zürich".into()),
        ("none", Pack::Nil),
        ("number", (-7).into()),
        ("ratio", 0.1.into()),
    ];
    let id = write(1_700_000_000_000, Pack::Nil, &values);
    let manager = manager(store(shared()));
    let session = open(&manager, id).await;
    let expected = User {
        name: "Ann".into(),
        age: 44,
        nick: None,
        added_later: false,
        limits: BTreeMap::from([("day".into(), (-5, 0.5))]),
    };
    assert_eq!(session.require::<User>("user").unwrap(), expected);
    assert_eq!(session.require::<String>("Grüße").unwrap(), "Zürich");
    assert_eq!(session.require::<Option<String>>("none").unwrap(), None);
    assert_eq!(session.require::<i64>("number").unwrap(), -7);
    assert_eq!(session.require::<f64>("ratio").unwrap(), 0.1);
    assert_eq!(session.len(), 5);
    assert!(session.expires_in().unwrap() <= HOUR.as_duration());

    session.set("number", &8).unwrap();
    session.commit().await.unwrap();
    assert_eq!(open(&manager, id).await.require::<u8>("number").unwrap(), 8);
}

#[tokio::test]
async fn idle_timeout_in_the_record_is_applied() {
    let timeouts = Pack::Array(vec![7_200_000.into(), Pack::Nil]);
    let id = write(1_700_000_000_000, Pack::Nil, &[("\0pycket:timeouts", timeouts)]);
    let session = open(&manager(store(shared())), id).await;
    session.set("name", "value").unwrap();
    session.commit().await.unwrap();
    assert!((7_000_000..=7_200_000).contains(&life(&id)));
}

#[tokio::test]
async fn granted_ttl_in_the_record_gives_the_last_renewal() {
    let id = write(1_700_000_000_000, 7_200_000.into(), &[]);
    let expiry = |minutes: u64| {
        let idle = Duration::from_secs(60 * minutes);
        pycket_core::Expiry::builder().idle_timeout(idle).build().unwrap()
    };
    let manager =
        |minutes| manager(store(shared())).to_builder().expiry(expiry(minutes)).build().unwrap();
    // An hour is left of two.
    assert!(manager(59).open(Some(id)).await.unwrap().is_new());
    assert!(!manager(61).open(Some(id)).await.unwrap().is_new());
}

#[tokio::test]
async fn creation_time_in_the_record_sets_the_absolute_timeout() {
    let expiry =
        pycket_core::Expiry::builder().absolute_timeout(Duration::from_secs(3600)).build().unwrap();
    let manager = manager(store(shared())).to_builder().expiry(expiry).build().unwrap();
    let old = write(1_700_000_000_000, Pack::Nil, &[("name", "value".into())]);
    assert!(manager.open(Some(old)).await.unwrap().is_new());
}

#[tokio::test]
async fn record_without_values_is_a_live_session() {
    let id = write(7, Pack::Nil, &[]);
    let session = open(&manager(store(shared())), id).await;
    assert!(session.is_empty());
}

#[tokio::test]
async fn resp2_and_resp3_give_the_same_record() {
    let url = format!("{}?protocol=resp3", shared().url());
    let store = RedisStore::builder(&url).build().unwrap();
    let record = record([("name", "value"), ("other", "value")]);
    let id = put(&store, &record).await;
    assert_eq!(stored(&store, &id).await, Some(record.clone()));
    assert_eq!(stored(&crate::store(shared()), &id).await, Some(record.clone()));
    let refused = set("name", "x").expect("name", None);
    assert_eq!(store.update(&id, &refused, None).await.unwrap(), pycket_core::Update::Conflict);
    assert_eq!(store.delete(&id).await.unwrap(), Some(record));
    assert_eq!(store.delete(&id).await.unwrap(), None);
    assert_eq!(stored(&store, &id).await, None);
}
