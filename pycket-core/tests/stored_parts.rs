//! What authors of drivers use: ids as bytes, keys as parts, records as one value, timeouts of a settings file.

use std::time::Duration;

use pycket_core::{ErrorKind, KeySpace, Metadata, Record, SessionId, Timestamp, Ttl, Value};

fn records() -> Vec<Record> {
    let times = [0, 7, (1 << 53) + 1, u64::MAX];
    let timeouts = [None, Some(Ttl::MIN), Some(Ttl::MAX)];
    let mut records = Vec::new();
    for (time, timeout) in
        times.into_iter().flat_map(|time| timeouts.map(|timeout| (time, timeout)))
    {
        let metadata = Metadata::new(Timestamp::from_unix_millis(time)).with_granted(timeout);
        let values =
            ["", "\0", "user", "über"].map(|name| (name, vec![0xff; name.len() * 100].into()));
        records.push(Record::new(metadata, [] as [(&str, Value); 0]));
        records.push(Record::new(metadata, values));
    }
    records
}

#[test]
fn encoded_record_is_read_back_equal() {
    for record in records() {
        assert_eq!(Record::decode(&record.encode()).unwrap(), record);
    }
}

#[test]
fn record_is_empty_if_it_has_no_value() {
    for record in records() {
        assert_eq!(record.is_empty(), record.names().len() == 0);
        assert_eq!(record.len(), record.names().len());
    }
}

#[test]
fn truncated_or_extended_record_is_corrupt() {
    for record in records() {
        let bytes = record.encode();
        let extended = [&bytes[..], &[0]].concat();
        let truncated = (0..bytes.len()).map(|length| &bytes[..length]);
        for damaged in truncated.chain([&extended[..]]) {
            assert_eq!(Record::decode(damaged).unwrap_err().kind(), ErrorKind::Corrupt);
        }
    }
}

#[test]
fn bytes_behind_a_record_are_returned() {
    for record in records() {
        let bytes = [&record.encode()[..], b"more"].concat();
        assert_eq!(Record::decode_prefix(&bytes).unwrap(), (record, &b"more"[..]));
    }
}

#[test]
fn record_of_another_version_or_with_an_invalid_timeout_is_corrupt() {
    let damaged: [&[u8]; 4] = [
        b"\x94\x02\x07\xc0\x80",
        b"\x94\x01\x07\x00\x80",
        b"\x93\x01\x07\x80",
        b"\x94\x01\xff\xc0\x80",
    ];
    for bytes in damaged {
        assert_eq!(Record::decode(bytes).unwrap_err().kind(), ErrorKind::Corrupt, "{bytes:?}");
    }
}

#[test]
fn bytes_of_an_id_are_read_back_and_other_uuids_are_refused() {
    let id = SessionId::generate();
    assert_eq!(SessionId::try_from(id.expose_bytes()).unwrap(), id);
    for bytes in [[0; 16], [0xff; 16]] {
        assert_eq!(SessionId::try_from(bytes).unwrap_err().kind(), ErrorKind::InvalidId);
    }
}

#[test]
fn other_spelling_of_an_id_is_no_id() {
    let id = SessionId::generate().expose();
    let others =
        [id.to_uppercase(), id.replace('-', ""), format!("{{{id}}}"), format!("urn:uuid:{id}")];
    for text in others {
        assert_eq!(text.parse::<SessionId>().unwrap_err().kind(), ErrorKind::InvalidId, "{text}");
    }
}

/// The last one has the version and another variant.
#[test]
fn uuid_of_another_version_or_variant_is_no_id() {
    let others = [
        "00000000-0000-0000-0000-000000000000",
        "0193b3a4-7c1e-7d2a-9f00-5a1b2c3d4e5f",
        "0193b3a4-7c1e-4d2a-cf00-5a1b2c3d4e5f",
    ];
    for text in others {
        assert_eq!(text.parse::<SessionId>().unwrap_err().kind(), ErrorKind::InvalidId, "{text}");
    }
}

#[test]
fn key_space_returns_its_parts() {
    for (prefix, dataset) in [("pycket:", "sessions"), ("", "a:b"), ("ü", ""), ("", "")] {
        let keys = KeySpace::new(prefix, dataset);
        assert_eq!((keys.prefix(), keys.dataset()), (prefix, dataset));
    }
}

#[test]
fn key_is_the_prefix_the_dataset_and_the_id_in_base64url() {
    let id: SessionId = "f47ac10b-58cc-4372-a567-0e02b2c3d479".parse().unwrap();
    assert_eq!(KeySpace::new("pycket:", "").key(&id), "pycket:9HrBC1jMQ3KlZw4CssPUeQ");
    assert_eq!(KeySpace::new("", "users").key(&id), "users:9HrBC1jMQ3KlZw4CssPUeQ");
}

#[test]
fn timeout_of_a_settings_file_is_in_milliseconds() {
    let deadline = toml::Value::Integer(300);
    let read = |value| pycket_core::driver::deserialize_millis(value);
    assert_eq!(read(deadline).unwrap(), Duration::from_millis(300));
    assert!(read(toml::Value::Integer(-1)).is_err());
}

#[test]
fn setting_out_of_its_range_is_refused() {
    use pycket_core::driver::{check_range, check_timeout};
    for (number, is_allowed) in [(0, false), (1, true), (9, true), (10, false)] {
        assert_eq!(check_range("n", number, 1..=9).is_ok(), is_allowed);
    }
    assert!(check_timeout("t", Duration::ZERO).is_err());
    let year = Duration::from_secs(365 * 24 * 3600);
    for (timeout, checked) in [(1, Duration::from_secs(1)), (u64::MAX, year)] {
        assert_eq!(check_timeout("t", Duration::from_secs(timeout)).unwrap(), checked);
    }
}

/// Of the 36 characters of an id, eight in a row show it.
#[test]
fn source_with_eight_characters_of_the_id_is_dropped() {
    let id = SessionId::generate();
    let text = id.expose();
    let has_source = |source: String| {
        let error = pycket_core::Error::new(ErrorKind::Rejected, "refused");
        let error = pycket_core::driver::with_source_without_id(error, source, &id);
        std::error::Error::source(&error).is_some()
    };
    for start in 0..=28 {
        assert!(!has_source(format!("no {}.", &text[start..start + 8])));
        assert!(has_source(format!("no {}.", &text[start..start + 7])));
    }
    assert!(has_source("wrong password".to_owned()));
}
