//! The records that sessions write, read with plain commands: the format of `docs/wire-format.md`.

use std::collections::BTreeMap;

use pycket_core::Outcome;
use pycket_testkit::ManualClock;
use rmpv::Value as Pack;
use serde::Serialize;

use crate::*;

#[derive(Serialize)]
struct User {
    name: String,
    age: u8,
    nick: Option<String>,
    role: Role,
    tags: Vec<&'static str>,
    limits: BTreeMap<&'static str, Limit>,
}

#[derive(Serialize)]
enum Role {
    Guest,
    Editor { since: u32 },
}

#[derive(Serialize)]
struct Limit(i64, f64);

struct Stored {
    manager: SessionManager,
    operator: redis::Connection,
    clock: ManualClock,
}

impl Stored {
    fn new() -> Self {
        let clock = ManualClock::default();
        let manager = manager(store(shared())).to_builder().clock(clock.clone()).build().unwrap();
        Self { manager, operator: operator(shared()), clock }
    }

    fn field(&mut self, id: &SessionId, name: &str) -> Option<Pack> {
        let mut command = redis::cmd("HGET");
        command.arg(key(id)).arg(name);
        let bytes: Option<Vec<u8>> = command.query(&mut self.operator).unwrap();
        bytes.map(|bytes| unpack(&bytes))
    }

    fn names(&mut self, id: &SessionId) -> Vec<String> {
        let mut names: Vec<String> = run(&mut self.operator, &format!("HKEYS {}", key(id)));
        names.sort();
        names
    }
}

/// Decodes bytes that are exactly one value.
fn unpack(mut bytes: &[u8]) -> Pack {
    let value = rmpv::decode::read_value(&mut bytes).unwrap();
    assert!(bytes.is_empty());
    value
}

fn map<const N: usize>(entries: [(&str, Pack); N]) -> Pack {
    Pack::Map(entries.map(|(key, value)| (key.into(), value)).into())
}

#[tokio::test]
async fn value_is_stored_as_message_pack_under_its_name() {
    let mut stored = Stored::new();
    let session = stored.manager.open(None).await.unwrap();
    let user = User {
        name: "Ann".into(),
        age: 44,
        nick: None,
        role: Role::Editor { since: 1999 },
        tags: vec!["a", "é", ""],
        limits: BTreeMap::from([("day", Limit(-5, 0.5)), ("year", Limit(1 << 40, -1.0))]),
    };
    session.set("user", &user).unwrap();
    session.set("guest", &Role::Guest).unwrap();
    session.set("Grüße\r\n\0 'x'", "Zürich").unwrap();
    session.set("none", &None::<u8>).unwrap();
    session.set("number", &-1_000_000).unwrap();
    session.set("large", &u64::MAX).unwrap();
    session.set("ratio", &0.1).unwrap();
    session.set("yes", &true).unwrap();
    session.set("unit", &()).unwrap();
    session.set("list", &[1, 2]).unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Created);

    let id = session.id().unwrap();
    let limit = |a: i64, b: f64| Pack::Array(vec![a.into(), b.into()]);
    let expected_user = map([
        ("name", "Ann".into()),
        ("age", 44.into()),
        ("nick", Pack::Nil),
        ("role", map([("Editor", map([("since", 1999.into())]))])),
        ("tags", Pack::Array(vec!["a".into(), "é".into(), "".into()])),
        ("limits", map([("day", limit(-5, 0.5)), ("year", limit(1 << 40, -1.0))])),
    ]);
    for (name, expected) in [
        ("user", expected_user),
        ("guest", "Guest".into()),
        ("Grüße\r\n\0 'x'", "Zürich".into()),
        ("none", Pack::Nil),
        ("number", (-1_000_000).into()),
        ("large", u64::MAX.into()),
        ("ratio", 0.1.into()),
        ("yes", true.into()),
        ("unit", Pack::Nil),
        ("list", Pack::Array(vec![1.into(), 2.into()])),
    ] {
        assert_eq!(stored.field(&id, name), Some(expected), "{name:?}");
    }
    assert_eq!(stored.names(&id).len(), 11);
}

#[tokio::test]
async fn empty_name_holds_version_creation_time_and_granted_ttl() {
    use pycket_core::Clock;

    let mut stored = Stored::new();
    let created = Pack::from(stored.clock.now().unix_millis());
    let session = stored.manager.open(None).await.unwrap();
    session.set("name", "value").unwrap();
    session.commit().await.unwrap();
    let id = session.id().unwrap();
    let expected = Pack::Array(vec![1.into(), created.clone(), 86_400_000.into()]);
    assert_eq!(stored.field(&id, ""), Some(expected));

    session.set_idle_timeout(Duration::from_millis(7_200_001)).unwrap();
    session.commit().await.unwrap();
    let expected = Pack::Array(vec![1.into(), created, 7_200_001.into()]);
    assert_eq!(stored.field(&id, ""), Some(expected));
    let timeouts = Pack::Array(vec![7_200_001.into(), Pack::Nil]);
    assert_eq!(stored.field(&id, "\0pycket:timeouts"), Some(timeouts));
}

#[tokio::test]
async fn update_changes_only_its_own_fields() {
    let mut stored = Stored::new();
    let session = stored.manager.open(None).await.unwrap();
    for name in ["kept", "changed", "removed"] {
        session.set(name, "before").unwrap();
    }
    session.commit().await.unwrap();
    let id = session.id().unwrap();
    let () = run(&mut stored.operator, &format!("HSET {} by-others x", key(&id)));
    session.set("changed", "after").unwrap();
    session.set("added", "after").unwrap();
    session.delete(["removed"]);
    session.commit().await.unwrap();
    assert_eq!(stored.names(&id), ["", "added", "by-others", "changed", "kept"]);
    assert_eq!(stored.field(&id, "kept"), Some("before".into()));
    assert_eq!(stored.field(&id, "changed"), Some("after".into()));
}

#[tokio::test]
async fn session_without_its_last_value_is_still_a_record() {
    let mut stored = Stored::new();
    let session = stored.manager.open(None).await.unwrap();
    session.set("name", "value").unwrap();
    session.commit().await.unwrap();
    session.clear();
    session.commit().await.unwrap();
    assert_eq!(stored.names(&session.id().unwrap()), [""]);
}

/// Another connection looks all the time, so it would see a record without an expiry by chance.
#[test]
fn record_always_has_an_expiry() {
    pycket_testkit::block_on(async {
        let store = store(shared());
        for _ in 0..50 {
            let id = SessionId::generate();
            let watcher = std::thread::spawn(move || {
                let mut operator = operator(shared());
                let (question, mut life) = (format!("PTTL {}", key(&id)), -2);
                while life == -2 {
                    life = run(&mut operator, &question);
                }
                life
            });
            let created = store.create(&id, &record([("name", "value")]), HOUR).await;
            assert_eq!(created.unwrap(), pycket_core::Creation::Created);
            let life = watcher.join().unwrap();
            assert!((1..=3_600_000).contains(&life), "{life}");
        }
    });
}
