//! What is found under the key of a session and is no session.

use crate::*;

use ErrorKind::Corrupt;

/// In everything that is planted; no message may show it.
const SECRET: &str = "sesame";

/// Version 1, began at 7, no lifetime of its own, one value.
const RECORD: &[u8] = b"\x94\x01\x07\xc0\x81\xa4name\xc4\x07\xa6sesame";

/// A date in the year 2033, so all of these live.
const END: &[u8] = b"\xcf\x00\x00\x01\xd0\x00\x00\x00\x00";

/// A life that no call of these tests asks for, in seconds.
const LIFE: i64 = 500_000;

struct Plant {
    store: MemcacheStore,
    operator: Operator,
    id: SessionId,
    bytes: Vec<u8>,
}

impl Plant {
    fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let (id, bytes) = (SessionId::generate(), bytes.into());
        let mut operator = Operator::new(shared());
        operator.set(&key(&id), LIFE, &bytes);
        Self { store: store(shared()), operator, id, bytes }
    }

    fn is_untouched(&mut self) -> bool {
        let seconds_left = self.operator.seconds_left(&key(&self.id));
        self.operator.get(&key(&self.id)).as_ref() == Some(&self.bytes)
            && seconds_left.is_some_and(|seconds| seconds > LIFE / 2)
    }

    async fn assert_reported_and_left_alone(&mut self) {
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
        assert!(self.is_untouched(), "{:?}", self.bytes);
    }
}

fn with_end(record: &[u8]) -> Vec<u8> {
    [record, END].concat()
}

#[tokio::test]
async fn what_the_others_are_a_variation_of_is_a_session() {
    for ends in 1..=3 {
        let plant = Plant::new([RECORD, &END.repeat(ends)].concat());
        assert_eq!(stored(&plant.store, &plant.id).await, Some(record([("name", SECRET)])));
    }
}

#[tokio::test]
async fn an_item_of_another_program_is_corrupt_and_left_alone() {
    for bytes in [
        &b""[..],
        b"sesame",
        b"7",
        b"{\"name\":\"sesame\"}",
        b"\xa6sesame",
        b"\xc0",
        b"\x07",
        END,
        b"\x81\xa4name\xa6sesame",
        b"\x90",
        b"\x91\xa6sesame",
        &vec![0; 100_000],
        &[0xff; 1000],
    ] {
        let mut plant = Plant::new(bytes);
        plant.assert_reported_and_left_alone().await;
        assert_eq!(plant.store.delete(&plant.id).await.unwrap_err().kind(), Corrupt);
        assert!(plant.is_untouched(), "{bytes:?}");
    }
}

#[tokio::test]
async fn a_record_of_another_version_is_corrupt_and_left_alone() {
    for bytes in [
        &b"\x94\x02\x07\xc0\x81\xa4name\xc4\x07\xa6sesame"[..],
        b"\x94\x00\x07\xc0\x80",
        b"\x95\x02\x07\xc0\x80\xa6sesame",
        b"\x93\x02\x07\xa6sesame",
        b"\x95\x01\x07\xc0\x80\xc0",
        b"\x91\x01",
        b"\x94\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x07\xc0\x80",
    ] {
        Plant::new(with_end(bytes)).assert_reported_and_left_alone().await;
    }
}

#[tokio::test]
async fn a_record_that_is_cut_anywhere_is_corrupt_and_left_alone() {
    let whole = with_end(RECORD);
    for length in 0..whole.len() {
        Plant::new(&whole[..length]).assert_reported_and_left_alone().await;
    }
}

#[tokio::test]
async fn a_damaged_record_is_corrupt() {
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
        let mut plant = Plant::new(with_end(bytes));
        let error = plant.store.load(&plant.id).await.unwrap_err();
        assert_eq!(error.kind(), Corrupt, "{bytes:?}");
        assert!(!shown(&error).contains(SECRET), "{error:?}");
        assert!(plant.is_untouched());
    }
}

#[tokio::test]
async fn what_follows_the_record_is_ends_and_nothing_else() {
    for rest in [&b"\xc0"[..], b"\xff", b"\xa6sesame", b"\xcb\x40\x00\x00\x00\x00\x00\x00\x00"] {
        for bytes in [[RECORD, rest].concat(), [RECORD, rest, END].concat()] {
            Plant::new(bytes).assert_reported_and_left_alone().await;
        }
        Plant::new([RECORD, END, rest].concat()).assert_reported_and_left_alone().await;
    }
}

/// Whoever asks for the end of a session gets it, even if it cannot be shown what ended.
#[tokio::test]
async fn a_session_that_cannot_be_read_can_be_deleted() {
    for bytes in [&b"\x94\x02\x07\xc0\x80"[..], b"\x95\x07sesame", &RECORD[..8], RECORD] {
        let mut plant = Plant::new(bytes);
        assert_eq!(plant.store.delete(&plant.id).await.unwrap_err().kind(), Corrupt);
        assert_eq!(plant.store.delete(&plant.id).await.unwrap(), None);
        assert_eq!(plant.operator.get(&key(&plant.id)), None);
    }
}

#[tokio::test]
async fn a_damaged_value_is_an_error_of_that_value_alone() {
    let bytes = b"\x94\x01\x07\xc0\x82\xa3cut\xc4\x05\xa6sesa\xa4user\xc4\x04\xa3ann";
    let plant = Plant::new(with_end(bytes));
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
