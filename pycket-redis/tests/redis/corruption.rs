//! Values under the key of a session that are not a session.

use pycket_core::{Creation, Update};

use crate::*;

use ErrorKind::Corrupt;

/// Part of every planted value. No message may show it.
const SECRET: &str = "sesame";

/// A ttl that no call of these tests sets, in milliseconds.
const LIFE: u64 = 5_000_000;

struct Plant {
    store: RedisStore,
    operator: redis::Connection,
    id: SessionId,
    /// Whether fields can be set in it without reading it first. A session always reads first.
    is_hash: bool,
    before: (Vec<u8>, bool),
}

impl Plant {
    /// Runs a command whose first argument is the key.
    fn new(command: &str, arguments: &[&[u8]]) -> Self {
        let id = SessionId::generate();
        let mut operator = operator(shared());
        redis::cmd(command).arg(key(&id)).arg(arguments).exec(&mut operator).unwrap();
        redis::cmd("PEXPIRE").arg(key(&id)).arg(LIFE).exec(&mut operator).unwrap();
        let mut plant = Self {
            store: store(shared()),
            operator,
            id,
            is_hash: command == "HSET",
            before: Default::default(),
        };
        plant.before = plant.fingerprint();
        plant
    }

    fn record(metadata: &[u8]) -> Self {
        Self::new("HSET", &[b"", metadata, b"name", b"\xa6sesame"])
    }

    /// The content, and whether the ttl is still the planted one.
    fn fingerprint(&mut self) -> (Vec<u8>, bool) {
        let content = run(&mut self.operator, &format!("DUMP {}", key(&self.id)));
        let life: u64 = run(&mut self.operator, &format!("PTTL {}", key(&self.id)));
        (content, life > HOUR.as_millis())
    }

    fn is_untouched(&mut self) -> bool {
        self.fingerprint() == self.before
    }

    async fn assert_reported_and_left_alone(mut self) {
        let loaded = self.store.load(&self.id).await.unwrap_err();
        let opened = SessionManager::new(Arc::new(store(shared()))).open(Some(self.id)).await;
        let opened = opened.unwrap_err();
        let changes = set("name", "other").set("new", text("value"));
        let guarded = changes.clone().expect("none", None);
        let mut errors = vec![loaded, opened];
        for (changes, ttl) in [
            (&changes, None),
            (&guarded, None),
            (&guarded, Some(HOUR)),
            (&Changes::new(), None),
            (&Changes::new(), Some(HOUR)),
        ] {
            errors.push(self.store.update(&self.id, changes, ttl).await.unwrap_err());
        }
        if !self.is_hash {
            errors.push(self.store.update(&self.id, &changes, Some(HOUR)).await.unwrap_err());
        }
        for error in errors {
            assert_eq!(error.kind(), Corrupt, "{error:?}");
            assert!(!error.is_transient());
            assert!(!shown(&error).contains(SECRET), "{error:?}");
        }
        let created = self.store.create(&self.id, &record([("name", "value")]), HOUR).await;
        assert_eq!(created.unwrap(), Creation::Taken);
        assert!(self.is_untouched());
    }
}

#[tokio::test]
async fn key_that_is_not_a_hash_is_corrupt_and_unchanged() {
    for (command, arguments) in [
        ("SET", &[SECRET.as_bytes()][..]),
        ("SET", &[b""]),
        ("RPUSH", &[b"", SECRET.as_bytes()]),
        ("SADD", &[b"", SECRET.as_bytes()]),
        ("ZADD", &[b"1", SECRET.as_bytes()]),
        ("XADD", &[b"*", b"", SECRET.as_bytes()]),
    ] {
        Plant::new(command, arguments).assert_reported_and_left_alone().await;
    }
}

#[tokio::test]
async fn hash_without_metadata_is_corrupt_and_unchanged() {
    Plant::new("HSET", &[b"name", b"\xa6sesame"]).assert_reported_and_left_alone().await;
}

#[tokio::test]
async fn metadata_of_another_version_is_corrupt_and_unchanged() {
    for metadata in [
        &b"\x93\x02\x07\xc0"[..],
        b"\x93\x00\x07\xc0",
        b"\x94\x02\x07\xc0\xa6sesame",
        b"\x92\x02\x81\xa6sesame\x01",
        b"\x91\x02",
        b"\x02",
        b"\x93\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x07\xc0",
    ] {
        Plant::record(metadata).assert_reported_and_left_alone().await;
    }
}

#[tokio::test]
async fn error_of_an_update_says_that_the_version_is_another() {
    let plant = Plant::record(b"\x93\x02\x07\xc0");
    let updated = plant.store.update(&plant.id, &set("name", "other"), None).await;
    let shown = shown(&updated.unwrap_err());
    assert!(shown.contains("not a record of this version"), "{shown}");
}

#[tokio::test]
async fn damaged_metadata_is_corrupt() {
    for metadata in [
        &b""[..],
        b"sesame",
        b"\x93",
        b"\x93\x01",
        b"\x93\x01\x07",
        b"\x93\x01\xcf\x00\x00",
        b"\x93\x01\x07\xc0\xc0",
        b"\x93\x01\x07\xc0sesame",
        b"\x94\x01\x07\xc0\xc0",
        b"\x92\x01\x07",
        b"\x93\x01\xff\xc0",
        b"\x93\x01\xc0\xc0",
        b"\x93\x01\xa6sesame\xc0",
        b"\x93\x01\xcb\x40\x00\x00\x00\x00\x00\x00\x00\xc0",
        b"\x93\x01\x07\xa6sesame",
        b"\x83\x01\x01\x02\x02\x03\x03",
        b"\xc1",
        b"\xdd\xff\xff\xff\xff",
    ] {
        let mut plant = Plant::record(metadata);
        let error = plant.store.load(&plant.id).await.unwrap_err();
        assert_eq!(error.kind(), Corrupt, "{metadata:?}");
        assert!(!shown(&error).contains(SECRET), "{error:?}");
        assert!(plant.is_untouched());
    }
}

#[tokio::test]
async fn granted_ttl_out_of_range_is_corrupt() {
    let too_long = [b"\x93\x01\x07\xcf".as_slice(), &(Ttl::MAX.as_millis() + 1).to_be_bytes()];
    let longest = [b"\x93\x01\x07\xcf".as_slice(), &Ttl::MAX.as_millis().to_be_bytes()];
    for metadata in [&b"\x93\x01\x07\x00"[..], b"\x93\x01\x07\xff", &too_long.concat()] {
        let plant = Plant::record(metadata);
        assert_eq!(plant.store.load(&plant.id).await.unwrap_err().kind(), Corrupt, "{metadata:?}");
    }
    for metadata in [&b"\x93\x01\x07\x01"[..], &longest.concat()] {
        let plant = Plant::record(metadata);
        assert!(plant.store.load(&plant.id).await.unwrap().is_some(), "{metadata:?}");
    }
}

#[tokio::test]
async fn name_that_is_not_utf_8_is_corrupt() {
    let mut plant = Plant::new("HSET", &[b"", b"\x93\x01\x07\xc0", b"sesame\xff", b"\x01"]);
    let error = plant.store.load(&plant.id).await.unwrap_err();
    assert_eq!(error.kind(), Corrupt);
    assert!(!shown(&error).contains(SECRET), "{error:?}");
    assert!(plant.is_untouched());
}

#[tokio::test]
async fn damaged_value_is_an_error_of_that_value_only() {
    let fields: [&[u8]; 6] = [b"", b"\x93\x01\x07\xc0", b"cut", b"\xa6sesa", b"user", b"\xa3ann"];
    let plant = Plant::new("HSET", &fields);
    let manager = SessionManager::new(Arc::new(store(shared())));
    let session = open(&manager, plant.id).await;
    assert_eq!(session.require::<String>("user").unwrap(), "ann");
    assert_eq!(session.keys(), ["cut", "user"]);
    let error = session.get::<String>("cut").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(!shown(&error).contains("sesa"), "{error:?}");

    session.set("user", "bob").unwrap();
    session.commit().await.unwrap();
    let mut operator = plant.operator;
    let cut: Vec<u8> = run(&mut operator, &format!("HGET {} cut", key(&plant.id)));
    assert_eq!(cut, b"\xa6sesa");

    let session = open(&manager, plant.id).await;
    assert_eq!(session.delete(["cut"]), ["cut"]);
    session.commit().await.unwrap();
    assert_eq!(open(&manager, plant.id).await.keys(), ["user"]);
}

/// A sign-out succeeds even if the record cannot be read.
#[tokio::test]
async fn unreadable_record_can_be_deleted() {
    let mut plant = Plant::record(b"\x93\x02\x07\xc0");
    assert_eq!(plant.store.delete(&plant.id).await.unwrap_err().kind(), Corrupt);
    assert_eq!(plant.store.delete(&plant.id).await.unwrap(), None);
    assert_eq!(run::<u32>(&mut plant.operator, &format!("EXISTS {}", key(&plant.id))), 0);
}

#[tokio::test]
async fn key_that_is_not_a_hash_is_not_deleted() {
    let mut plant = Plant::new("SET", &[SECRET.as_bytes()]);
    assert_eq!(plant.store.delete(&plant.id).await.unwrap_err().kind(), Corrupt);
    assert!(plant.is_untouched());
}

#[tokio::test]
async fn record_without_an_expiry_gets_one_at_its_next_renewal() {
    let mut operator = operator(shared());
    let store = store(shared());
    let id = put(&store, &record([])).await;
    assert_eq!(run::<u32>(&mut operator, &format!("PERSIST {}", key(&id))), 1);
    assert_eq!(store.load(&id).await.unwrap().unwrap().expires_in, Ttl::MAX.as_duration());
    assert_eq!(store.update(&id, &Changes::new(), Some(HOUR)).await.unwrap(), Update::Applied);
    assert!(store.load(&id).await.unwrap().unwrap().expires_in <= HOUR.as_duration());
}
