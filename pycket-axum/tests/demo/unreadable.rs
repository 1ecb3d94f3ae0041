//! No stored value, and no record that cannot be read, locks a client out.

use serde_json::json;

use crate::client::Client;
use crate::program::{Demo, one_of_each_store, redis};
use crate::raw_redis::command;

/// The page shows the value, the JSON interface answers, and the client can sign out.
fn assert_not_locked_out(client: &Client, what: &str) {
    for _ in 0..2 {
        let page = client.get("/");
        assert_eq!(page.status, 200, "{what}: {page:?}");
        assert!(page.body.contains("Sign out"), "{what}: {}", page.body);
    }
    assert_eq!(client.get("/api/session").status, 200, "{what}");
    client.submit("/values", "name=note&value=a").assert_status(303);
    client.submit("/sign-out", "").assert_status(303);
    assert_eq!(client.cookie(), None, "{what}");
    assert!(client.get("/").body.contains("Hello, stranger"), "{what}");
}

#[test]
fn value_of_any_type_under_a_name_of_the_page_locks_no_client_out() {
    let values = [
        json!("x"),
        json!(null),
        json!(true),
        json!([1]),
        json!({ "n": 1 }),
        json!(1e308),
        json!(-1),
        json!(u64::MAX),
        json!(""),
    ];
    for demo in one_of_each_store() {
        for value in &values {
            for name in ["visits", "message"] {
                let client = demo.client();
                client.submit("/sign-in", "user=ann").assert_status(303);
                let path = format!("/api/session/{name}");
                client.put(&path, &value.to_string()).assert_status(204);
                client.put("/api/notifications/message", &value.to_string()).assert_status(204);
                assert_not_locked_out(&client, &format!("{name} = {value}"));
            }
            let client = demo.client();
            client.submit("/sign-in", "user=ann").assert_status(303);
            client.put("/api/session/user", &value.to_string()).assert_status(204);
            assert_not_locked_out(&client, &format!("user = {value}"));
        }
    }
}

#[test]
fn visits_that_are_no_number_stay_as_they_are() {
    let demo = Demo::start(&[]);
    let client = demo.client();
    client.submit("/values", "name=visits&value=x").assert_status(303);
    client.get("/").assert_status(200);
    assert_eq!(client.data()["visits"], json!("x"));
}

/// A client of a demo over Redis, and the key of its record.
fn in_redis() -> (Demo, Client, String) {
    let demo = Demo::start(&["--store", &redis().url()]);
    let client = demo.client();
    client.submit("/sign-in", "user=ann").assert_status(303);
    let key = client.key();
    assert_eq!(command(redis(), &[b"EXISTS", key.as_bytes()]), "1");
    (demo, client, key)
}

#[test]
fn values_that_are_no_json_or_no_message_pack_lock_no_client_out() {
    // Bytes, a map with a number as key, not a number, an extension, an unknown byte, a truncated text.
    let raw: [&[u8]; 6] = [
        b"\xc4\x03\x00\x01\x02",
        b"\x81\x01\x02",
        b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00",
        b"\xd4\x05\x01",
        b"\xc1",
        b"\xd9\xffa",
    ];
    for value in raw {
        for name in ["visits", "user", "other"] {
            let (_demo, client, key) = in_redis();
            command(redis(), &[b"HSET", key.as_bytes(), name.as_bytes(), value]);
            assert_not_locked_out(&client, &format!("{name} = {value:?}"));
        }
    }
}

#[test]
fn record_that_cannot_be_read_can_be_signed_out_of() {
    let corruptions: [&[&[u8]]; 3] = [
        &[b"HSET", b"", b"user", b"\xa3ann"],
        &[b"HSET", b"", b"", b"garbage"],
        // A later version of the format.
        &[b"HSET", b"", b"", b"\x93\xcc\xc8\x00\xc0"],
    ];
    for (sign_out, corruption) in
        ["/sign-out", "/api/logout"].into_iter().flat_map(|path| corruptions.map(|c| (path, c)))
    {
        let (_demo, client, key) = in_redis();
        let mut write = corruption.to_vec();
        write[1] = key.as_bytes();
        command(redis(), &[b"DEL", key.as_bytes()]);
        command(redis(), &write);

        let page = client.get("/");
        page.assert_status(500);
        assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
        assert!(
            page.body.contains("cannot be read") && page.body.contains("Sign out"),
            "{}",
            page.body
        );
        client.get("/api/session").assert_status(500);

        let signed_out = client.submit(sign_out, "");
        assert!(matches!(signed_out.status, 204 | 303), "{sign_out}: {signed_out:?}");
        assert_eq!(client.cookie(), None, "{sign_out}");
        assert_eq!(command(redis(), &[b"EXISTS", key.as_bytes()]), "0", "{sign_out}");
        assert!(client.get("/").body.contains("Hello, stranger"), "{sign_out}");
        client.submit("/sign-in", "user=ben").assert_status(303);
        assert_eq!(client.data()["user"], json!("ben"));
    }
}

/// The store does not delete what another application has under the key, so the response is an error.
#[test]
fn client_whose_record_is_of_another_application_is_signed_out() {
    let (_demo, client, key) = in_redis();
    command(redis(), &[b"SET", key.as_bytes(), b"another application's"]);
    client.get("/").assert_status(500);
    client.submit("/sign-out", "").assert_status(500);
    assert_eq!(client.cookie(), None);
    assert!(client.get("/").body.contains("Hello, stranger"));
}

#[test]
fn full_record_of_memcached_locks_no_client_out() {
    let [_, _, demo, _] = one_of_each_store();
    let client = demo.client();
    client.submit("/sign-in", "user=ann").assert_status(303);
    client.put("/api/session/visits", "127").assert_status(204);
    // The largest value that fits: one byte more in `visits` does not.
    let (mut fits, mut too_large) = (0, 1 << 20);
    while too_large - fits > 1 {
        let middle = (fits + too_large) / 2;
        let value = format!("\"{}\"", "x".repeat(middle));
        match client.put("/api/session/big", &value).status {
            204 => fits = middle,
            _ => too_large = middle,
        }
    }
    let value = format!("\"{}\"", "x".repeat(fits));
    client.put("/api/session/big", &value).assert_status(204);
    assert_eq!(client.get("/").status, 200);
    client.submit("/sign-out", "").assert_status(303);
    assert_eq!(client.cookie(), None);
}
