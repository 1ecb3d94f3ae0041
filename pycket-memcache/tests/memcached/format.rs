//! The format in `docs/wire-format.md`, checked with a plain client and another MessagePack implementation: it
//! reads what a session stores, and a session reads what it writes.

use pycket_core::Outcome;
use pycket_testkit::ManualClock;
use rmpv::Value as Pack;

use crate::*;

/// The MessagePack values in these bytes.
fn unpack(mut bytes: &[u8]) -> Vec<Pack> {
    let mut values = Vec::new();
    while !bytes.is_empty() {
        values.push(rmpv::decode::read_value(&mut bytes).unwrap());
    }
    values
}

fn pack(value: &Pack) -> Vec<u8> {
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, value).unwrap();
    bytes
}

fn binary(value: &Pack) -> Pack {
    Pack::Binary(pack(value))
}

fn map<const N: usize>(entries: [(&str, Pack); N]) -> Pack {
    Pack::Map(entries.map(|(key, value)| (key.into(), value)).into())
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_millis().try_into().unwrap()
}

/// Writes a record with a plain client. It expires in an hour.
fn write(granted: Pack, values: Pack) -> SessionId {
    let id = SessionId::generate();
    let record = Pack::Array(vec![1.into(), 1_700_000_000_000_u64.into(), granted, values]);
    let expiry = Pack::from(now() + HOUR.as_millis());
    let bytes = [pack(&record), pack(&expiry)].concat();
    RawClient::new(shared()).set(&key(&id), 3600 + 10, &bytes);
    id
}

#[tokio::test]
async fn session_is_stored_as_a_record_and_its_expiry() {
    let clock = ManualClock::default();
    let manager = manager(store(shared())).to_builder().clock(clock.clone()).build().unwrap();
    let session = manager.open(None).await.unwrap();
    session.set("name", "Ann").unwrap();
    session.set("Grüße\r\nEND", &[1, -1]).unwrap();
    session.set("none", &None::<u8>).unwrap();
    session.set_idle_timeout(Duration::from_secs(7200)).unwrap();
    let before = now();
    assert_eq!(session.commit().await.unwrap(), Outcome::Created);
    let item = RawClient::new(shared()).get(&key(&session.id().unwrap())).unwrap();

    use pycket_core::Clock as _;
    let created = clock.now().unix_millis();
    let timeouts = Pack::Array(vec![7_200_000.into(), Pack::Nil]);
    let values = map([
        ("\0pycket:timeouts", binary(&timeouts)),
        ("Grüße\r\nEND", binary(&Pack::Array(vec![1.into(), (-1).into()]))),
        ("name", binary(&"Ann".into())),
        ("none", binary(&Pack::Nil)),
    ]);
    let record = Pack::Array(vec![1.into(), created.into(), 7_200_000.into(), values]);
    let [stored, expiry] = &unpack(&item)[..] else { panic!("{item:?}") };
    assert_eq!(*stored, record);
    let ttl = expiry.as_u64().unwrap() - before;
    assert!((7_200_000..7_260_000).contains(&ttl), "{ttl}");
}

#[tokio::test]
async fn record_without_granted_ttl_has_nil_and_nine_bytes_of_expiry() {
    let id = put(&store(shared()), &record([])).await;
    let item = RawClient::new(shared()).get(&key(&id)).unwrap();
    assert_eq!(item[..6], *b"\x94\x01\x07\xc0\x80\xcf");
    assert_eq!(item.len(), 5 + 9);
}

#[tokio::test]
async fn last_expiry_counts_after_a_touch() {
    let store = store(shared());
    let id = put(&store, &record([])).await;
    for ttl in [ttl(60_000), Ttl::MAX, ttl(7_200_000)] {
        assert_eq!(touch(&store, &id, ttl).await, Update::Applied);
        let item = RawClient::new(shared()).get(&key(&id)).unwrap();
        let expiry = unpack(&item).last().and_then(Pack::as_u64).unwrap();
        let expected = now() + ttl.as_millis();
        assert!(expiry.abs_diff(expected) < 60_000, "{expiry} {expected}");
    }
}

#[tokio::test]
async fn record_of_another_program_is_a_session() {
    let values = map([
        ("user", binary(&map([("name", "Ann".into()), ("age", 44.into())]))),
        ("Grüße", binary(&"Zürich".into())),
        ("none", binary(&Pack::Nil)),
        ("number", binary(&(-7).into())),
    ]);
    let id = write(Pack::Nil, values);
    let manager = manager(store(shared()));
    let session = open(&manager, id).await;
    assert_eq!(session.require::<String>("Grüße").unwrap(), "Zürich");
    assert_eq!(session.require::<Option<String>>("none").unwrap(), None);
    assert_eq!(session.require::<i64>("number").unwrap(), -7);
    assert_eq!(session.len(), 4);
    let remaining = session.expires_in().unwrap();
    assert!((HOUR.as_duration() / 2..=HOUR.as_duration()).contains(&remaining), "{remaining:?}");

    session.set("number", &8).unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
    let session = open(&manager, id).await;
    assert_eq!(session.require::<u8>("number").unwrap(), 8);
    assert_eq!(session.len(), 4);
}

#[tokio::test]
async fn idle_timeout_of_the_record_is_used() {
    let timeouts = Pack::Array(vec![7_200_000.into(), Pack::Nil]);
    let id = write(Pack::Nil, map([("\0pycket:timeouts", binary(&timeouts))]));
    let session = open(&manager(store(shared())), id).await;
    session.set("name", "value").unwrap();
    session.commit().await.unwrap();
    let seconds = RawClient::new(shared()).seconds_left(&key(&id)).unwrap();
    assert!((7_000..=7_211).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn granted_ttl_in_the_record_gives_the_last_renewal() {
    let id = write(7_200_000.into(), map([]));
    let manager = |minutes: u64| {
        let idle = Duration::from_secs(60 * minutes);
        let expiry = pycket_core::Expiry::builder().idle_timeout(idle).build().unwrap();
        manager(store(shared())).to_builder().expiry(expiry).build().unwrap()
    };
    // An hour is left of two.
    assert!(manager(59).open(Some(id)).await.unwrap().is_new());
    assert!(!manager(61).open(Some(id)).await.unwrap().is_new());
}

/// Every number and every length is in its longest form.
#[tokio::test]
async fn any_form_of_message_pack_is_read() {
    let id = SessionId::generate();
    let mut bytes = b"\xdd\x00\x00\x00\x04\xcf\x00\x00\x00\x00\x00\x00\x00\x01\
        \xd3\x00\x00\x00\x00\x00\x00\x00\x07\xc0\xdf\x00\x00\x00\x01\
        \xdb\x00\x00\x00\x04name\xc6\x00\x00\x00\x06\xa5value"
        .to_vec();
    bytes.extend(pack(&Pack::from(now() + 60_000)));
    RawClient::new(shared()).set(&key(&id), 70, &bytes);
    let store = store(shared());
    assert_eq!(stored(&store, &id).await, Some(record([("name", "value")])));
    assert_eq!(store.delete(&id).await.unwrap(), Some(record([("name", "value")])));
}

#[tokio::test]
async fn key_is_prefix_and_id_in_base64url() {
    let store = slow_builder(shared()).prefix("grüße:").build().unwrap();
    let id = "0193b3a4-7c1e-4d2a-9f00-5a1b2c3d4e5f".parse().unwrap();
    let created = store.create(&id, &record([]), HOUR).await;
    assert_eq!(created.unwrap(), Creation::Created);
    assert!(RawClient::new(shared()).get("grüße:AZOzpHweTSqfAFobLD1OXw").is_some());
    assert_eq!(stored(&crate::store(shared()), &id).await, None);
}
