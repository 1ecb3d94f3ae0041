use std::collections::BTreeMap;

use pycket_core::{ErrorKind, Value};
use serde::{Deserialize, Serialize};

use crate::{manager, open, stored};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Cart {
    items: Vec<u32>,
    note: Option<String>,
}

#[tokio::test]
async fn set_value_is_read_in_the_same_and_the_next_request() {
    let manager = manager();
    let session = manager.open(None).await.unwrap();
    let cart = Cart { items: vec![7, 9], note: None };
    session.set("cart", &cart).unwrap();
    assert_eq!(session.get::<Cart>("cart").unwrap().unwrap(), cart);
    session.commit().await.unwrap();

    let next = open(&manager, session.id().unwrap()).await;
    assert_eq!(next.get::<Cart>("cart").unwrap().unwrap(), cart);
}

#[tokio::test]
async fn missing_name_is_none_the_default_or_key_not_found() {
    let session = manager().open(None).await.unwrap();
    assert_eq!(session.get::<u32>("age").unwrap(), None);
    assert_eq!(session.get_or("age", 7).unwrap(), 7);
    let error = session.require::<u32>("age").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyNotFound);
    assert_eq!(error.to_string(), "`age` not found in session");
}

#[tokio::test]
async fn stored_none_is_present() {
    let session = manager().open(None).await.unwrap();
    session.set("nickname", &None::<String>).unwrap();
    assert!(session.contains("nickname"));
    assert_eq!(session.require::<Option<String>>("nickname").unwrap(), None);
}

#[tokio::test]
async fn set_leaves_other_names_unchanged() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.set("age", &30).unwrap();
    session.commit().await.unwrap();
    assert_eq!(open(&manager, id).await.keys(), ["age", "user"]);
}

#[tokio::test]
async fn delete_returns_the_removed_names_and_ignores_missing_ones() {
    let manager = manager();
    let session = open(&manager, stored(&manager).await).await;
    session.set("age", &30).unwrap();
    assert_eq!(session.delete(["user", "nothing", "age", "user"]), ["user", "age"]);
    assert!(session.is_empty());
}

#[tokio::test]
async fn keys_iter_len_and_contains_agree() {
    let manager = manager();
    let session = open(&manager, stored(&manager).await).await;
    session.set("a", &1).unwrap();
    assert_eq!(session.keys(), ["a", "user"]);
    assert_eq!(session.len(), 2);
    let entries: BTreeMap<String, Value> = session.iter().collect();
    assert_eq!(entries["a"].decode::<u8>().unwrap(), 1);
    assert_eq!(entries["user"].decode::<String>().unwrap(), "ann");
    assert!(session.contains("a") && !session.contains("b"));
    assert!(!session.is_empty());
}

#[tokio::test]
async fn cleared_session_stays_live() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.clear();
    session.commit().await.unwrap();

    let next = open(&manager, id).await;
    assert!(next.is_empty() && !next.is_new());
}

#[tokio::test]
async fn get_returns_a_copy() {
    let session = manager().open(None).await.unwrap();
    session.set("list", &[1, 2]).unwrap();
    let mut copy: Vec<u8> = session.require("list").unwrap();
    copy.push(3);
    assert_eq!(session.require::<Vec<u8>>("list").unwrap(), [1, 2]);
}

#[tokio::test]
async fn get_of_another_type_names_key_and_type_and_keeps_the_value() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    let error = session.get::<u32>("user").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.to_string(), "the value of `user` is not of type `u32`");
    session.commit().await.unwrap();
    assert_eq!(open(&manager, id).await.require::<String>("user").unwrap(), "ann");
}

#[tokio::test]
async fn set_of_an_unserializable_value_changes_nothing() {
    struct Unserializable;
    impl Serialize for Unserializable {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }
    let session = manager().open(None).await.unwrap();
    session.set("user", "ann").unwrap();
    let error = session.set("user", &Unserializable).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Encode);
    assert!(std::error::Error::source(&error).is_some());
    assert_eq!(session.require::<String>("user").unwrap(), "ann");
}

#[tokio::test]
async fn empty_name_is_an_error() {
    let session = manager().open(None).await.unwrap();
    assert_eq!(session.set("", &1).unwrap_err().kind(), ErrorKind::InvalidName);
    let error = session.update("", |n: Option<u8>| n.unwrap_or(0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidName);
}

#[tokio::test]
async fn clones_share_one_state() {
    let session = manager().open(None).await.unwrap();
    session.clone().set("user", "ann").unwrap();
    assert_eq!(session.require::<String>("user").unwrap(), "ann");
}

#[tokio::test]
async fn debug_shows_no_id_and_no_value() {
    let manager = manager();
    let id = stored(&manager).await;
    let shown = format!("{:?} {:?} {manager:?}", open(&manager, id).await, id);
    assert!(!shown.contains(&id.expose()) && !shown.contains("ann"), "{shown}");
}

#[tokio::test]
async fn get_reads_every_nesting_depth_that_set_accepts() {
    let session = manager().open(None).await.unwrap();
    let mut nested = serde_json::json!(1);
    for depth in 1..2000 {
        nested = serde_json::json!([nested]);
        match session.set("nested", &nested) {
            Ok(()) => assert_eq!(session.require::<serde_json::Value>("nested").unwrap(), nested),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Encode);
                assert!(depth > 100, "refused at {depth}");
                return;
            }
        }
    }
    panic!("every depth was accepted");
}

#[tokio::test]
async fn hostile_bytes_from_a_store_are_errors_not_panics() {
    // An array that claims 2^32 - 1 elements, deep nesting, an incomplete string, extra bytes, no bytes.
    let hostile: [&[u8]; 5] =
        [&[0xdd, 0xff, 0xff, 0xff, 0xff], &[0x91; 100_000], &[0xa5, b'a'], &[0x01, 0x01], &[]];
    for bytes in hostile {
        let value = Value::from(bytes.to_vec());
        assert_eq!(value.decode::<serde_json::Value>().unwrap_err().kind(), ErrorKind::Decode);
        assert_eq!(value.decode::<Vec<u8>>().unwrap_err().kind(), ErrorKind::Decode);
    }
}

#[tokio::test]
async fn names_are_escaped_in_errors_and_in_debug() {
    // A forged log line, a terminal escape sequence, a reversed reading direction.
    let session = manager().open(None).await.unwrap();
    for name in ["a\n2026-01-01 INFO admin signed in", "\u{1b}[2J", "\u{202e}nnA"] {
        session.set(name, "ann").unwrap();
        let mut shown = vec![
            session.require::<u8>("missing\n\u{1b}\u{202e}").unwrap_err().to_string(),
            session.get::<u8>(name).unwrap_err().to_string(),
            session.update(name, |n: Option<u8>| n.unwrap_or(0)).await.unwrap_err().to_string(),
            format!("{session:?}"),
        ];
        session.notifications().set(name, "ann").unwrap();
        let notifications = session.notifications();
        shown.push(notifications.get::<u8>(name).await.unwrap_err().to_string());
        let missing = format!("{name}?");
        shown.push(notifications.require::<u8>(&missing).await.unwrap_err().to_string());
        for text in shown {
            assert!(!text.contains(['\n', '\u{1b}', '\u{202e}']), "{text:?}");
        }
    }
}
