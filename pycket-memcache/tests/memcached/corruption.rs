//! Items under the key of a session that are not valid sessions.

use crate::*;

use ErrorKind::Corrupt;

/// Part of every planted item. No error may show it.
const SECRET: &str = "sesame";

/// Version 1, created at 7, no idle timeout, one value.
const RECORD: &[u8] = b"\x94\x01\x07\xc0\x81\xa4name\xc4\x07\xa6sesame";

/// In the year 2033.
const EXPIRY: &[u8] = b"\xcf\x00\x00\x01\xd0\x00\x00\x00\x00";

/// In seconds; no call of these tests sets this exptime.
const EXPTIME: i64 = 500_000;

struct Plant {
    store: MemcacheStore,
    raw_client: RawClient,
    id: SessionId,
    bytes: Vec<u8>,
}

impl Plant {
    fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let (id, bytes) = (SessionId::generate(), bytes.into());
        let mut raw_client = RawClient::new(shared());
        raw_client.set(&key(&id), EXPTIME, &bytes);
        Self { store: store(shared()), raw_client, id, bytes }
    }

    fn is_unchanged(&mut self) -> bool {
        let seconds_left = self.raw_client.seconds_left(&key(&self.id));
        self.raw_client.get(&key(&self.id)).as_ref() == Some(&self.bytes)
            && seconds_left.is_some_and(|seconds| seconds > EXPTIME / 2)
    }

    async fn assert_corrupt_and_unchanged(&mut self) {
        let opened = SessionManager::new(Arc::new(store(shared()))).open(Some(self.id)).await;
        let mut errors = vec![self.store.load(&self.id).await.unwrap_err(), opened.unwrap_err()];
        let changes = set("name", "other").set("new", text("value"));
        for ttl in [None, Some(HOUR)] {
            for changes in [changes.clone(), changes.clone().expect("none", None), Changes::new()] {
                errors.push(self.store.update(&self.id, &changes, ttl).await.unwrap_err());
            }
        }
        for error in errors {
            assert_eq!(error.kind(), Corrupt, "{error:?}");
            assert!(!error.is_transient());
            assert!(!shown(&error).contains(SECRET), "{error:?}");
        }
        let created = self.store.create(&self.id, &record([("name", "value")]), HOUR).await;
        assert_eq!(created.unwrap(), Creation::Taken);
        assert!(self.is_unchanged(), "{:?}", self.bytes);
    }
}

fn with_expiry(record: &[u8]) -> Vec<u8> {
    [record, EXPIRY].concat()
}

#[tokio::test]
async fn planted_record_without_damage_is_a_session() {
    for count in 1..=3 {
        let plant = Plant::new([RECORD, &EXPIRY.repeat(count)].concat());
        assert_eq!(stored(&plant.store, &plant.id).await, Some(record([("name", SECRET)])));
    }
}

#[tokio::test]
async fn item_of_another_program_is_corrupt_and_left_unchanged() {
    for bytes in [
        &b""[..],
        b"sesame",
        b"7",
        b"{\"name\":\"sesame\"}",
        b"\xa6sesame",
        b"\xc0",
        b"\x07",
        EXPIRY,
        b"\x81\xa4name\xa6sesame",
        b"\x90",
        b"\x91\xa6sesame",
        &vec![0; 100_000],
        &[0xff; 1000],
    ] {
        let mut plant = Plant::new(bytes);
        plant.assert_corrupt_and_unchanged().await;
        assert_eq!(plant.store.delete(&plant.id).await.unwrap_err().kind(), Corrupt);
        assert!(plant.is_unchanged(), "{bytes:?}");
    }
}

#[tokio::test]
async fn record_of_another_version_is_corrupt_and_left_unchanged() {
    for bytes in [
        &b"\x94\x02\x07\xc0\x81\xa4name\xc4\x07\xa6sesame"[..],
        b"\x94\x00\x07\xc0\x80",
        b"\x95\x02\x07\xc0\x80\xa6sesame",
        b"\x93\x02\x07\xa6sesame",
        b"\x95\x01\x07\xc0\x80\xc0",
        b"\x91\x01",
        b"\x94\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x07\xc0\x80",
    ] {
        Plant::new(with_expiry(bytes)).assert_corrupt_and_unchanged().await;
    }
}

#[tokio::test]
async fn truncated_record_is_corrupt_and_left_unchanged() {
    let whole = with_expiry(RECORD);
    for length in 0..whole.len() {
        Plant::new(&whole[..length]).assert_corrupt_and_unchanged().await;
    }
}

#[tokio::test]
async fn damaged_record_is_corrupt() {
    let too_long = (Ttl::MAX.as_millis() + 1).to_be_bytes();
    for bytes in [
        &b"\x94\x01\xff\xc0\x80"[..],
        b"\x94\x01\xa6sesame\xc0\x80",
        b"\x94\x01\xcb\x40\x00\x00\x00\x00\x00\x00\x00\xc0\x80",
        b"\x94\x01\x07\x00\x80",
        b"\x94\x01\x07\xff\x80",
        &[b"\x94\x01\x07\xcf", &too_long[..], b"\x80"].concat(),
        b"\x94\x01\x07\xa6sesame\x80",
        b"\x94\x01\x07\xc0\x90",
        b"\x94\x01\x07\xc0\xa6sesame",
        b"\x94\x01\x07\xc0\x81\x01\xc4\x01\x01",
        b"\x94\x01\x07\xc0\x81\xc4\x04name\xc4\x01\x01",
        b"\x94\x01\x07\xc0\x81\xa6sesam\xff\xc4\x01\x01",
        b"\x94\x01\x07\xc0\x81\xa4name\xa6sesame",
        b"\x94\x01\x07\xc0\x81\xa4name\xc0",
        b"\x94\x01\x07\xc0\x82\xa4name\xc4\x01\x01",
        b"\x94\x01\x07\xc0\xdf\xff\xff\xff\xff\xa4name\xc4\x01\x01",
        b"\x94\x01\x07\xc0\x81\xdb\xff\xff\xff\xffname",
        b"\x94\x01\x07\xc0\x81\xa4name\xc6\xff\xff\xff\xffsesame",
        b"\xc1",
        b"\xdd\xff\xff\xff\xff\x01",
    ] {
        let mut plant = Plant::new(with_expiry(bytes));
        let error = plant.store.load(&plant.id).await.unwrap_err();
        assert_eq!(error.kind(), Corrupt, "{bytes:?}");
        assert!(!shown(&error).contains(SECRET), "{error:?}");
        assert!(plant.is_unchanged());
    }
}

#[tokio::test]
async fn record_is_followed_only_by_expiries() {
    for rest in [&b"\xc0"[..], b"\xff", b"\xa6sesame", b"\xcb\x40\x00\x00\x00\x00\x00\x00\x00"] {
        for bytes in [[RECORD, rest].concat(), [RECORD, rest, EXPIRY].concat()] {
            Plant::new(bytes).assert_corrupt_and_unchanged().await;
        }
        Plant::new([RECORD, EXPIRY, rest].concat()).assert_corrupt_and_unchanged().await;
    }
}

/// Signing out must work even if the session cannot be read.
#[tokio::test]
async fn corrupt_session_can_be_deleted() {
    for bytes in [&b"\x94\x02\x07\xc0\x80"[..], b"\x95\x07sesame", &RECORD[..8], RECORD] {
        let mut plant = Plant::new(bytes);
        assert_eq!(plant.store.delete(&plant.id).await.unwrap_err().kind(), Corrupt);
        assert_eq!(plant.store.delete(&plant.id).await.unwrap(), None);
        assert_eq!(plant.raw_client.get(&key(&plant.id)), None);
    }
}

#[tokio::test]
async fn damaged_value_fails_only_when_it_is_read() {
    let bytes = b"\x94\x01\x07\xc0\x82\xa3cut\xc4\x05\xa6sesa\xa4user\xc4\x04\xa3ann";
    let plant = Plant::new(with_expiry(bytes));
    let manager = manager(store(shared()));
    let session = open(&manager, plant.id).await;
    assert_eq!(session.require::<String>("user").unwrap(), "ann");
    assert_eq!(session.keys(), ["cut", "user"]);
    let error = session.get::<String>("cut").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(!shown(&error).contains("sesa"), "{error:?}");

    session.set("user", "bob").unwrap();
    session.commit().await.unwrap();
    let kept = stored(&plant.store, &plant.id).await.unwrap();
    assert_eq!(kept.get("cut").unwrap().as_bytes(), b"\xa6sesa");
}
