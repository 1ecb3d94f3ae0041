//! Unusual names and values.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::program::{one_of_each_store, one_of_each_store_without_item_limit};

/// The default limit of axum for a body.
const BODY_LIMIT: usize = 2 * 1024 * 1024;

fn encoded(name: &str) -> String {
    name.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

#[test]
fn any_text_is_a_valid_name() {
    let long = "n".repeat(15_000);
    let names = [
        "a/b",
        "/",
        "..",
        ".",
        "%2F",
        "a b",
        " ",
        "\n",
        "a\r\nSet-Cookie: b=c",
        "\0",
        "é",
        "\u{1f36a}",
        "\u{202e}evil",
        "'; DROP TABLE sessions; --",
        "<script>",
        "\"",
        "{name}",
        "increment",
        "__proto__",
        "*",
        "?",
        "#",
        "&",
        "=",
        ";",
        &long,
    ];
    for demo in one_of_each_store() {
        let client = demo.client();
        client.put("/api/session/first", "0").assert_status(204);
        for name in names {
            let path = format!("/api/session/{}", encoded(name));
            client.put(&path, "1").assert_status(204);
            assert_eq!(client.get(&path).body, "1", "{name:?}");
            assert_eq!(client.post(&format!("{path}/increment"), "").body, "2", "{name:?}");
        }
        let data = client.data();
        assert_eq!(data.as_object().unwrap().len(), names.len() + 1);
        for name in names {
            assert_eq!(data[name], json!(2), "{name:?}");
            client.delete(&format!("/api/session/{}", encoded(name))).assert_status(204);
            let path = format!("/api/session/{}", encoded(name));
            let error = format!("`{}` not found in session", name.escape_debug());
            client.get(&path).assert_error(404, &error);
        }
        assert_eq!(client.data(), json!({ "first": 0 }));
    }
}

#[test]
fn name_that_is_not_text_is_a_400_and_a_too_long_one_a_414() {
    for demo in one_of_each_store() {
        let client = demo.client();
        client.put("/api/session/%FF%FE", "1").assert_status(400);
        assert_eq!(client.cookie(), None);
        let mut stream = TcpStream::connect(demo.address()).unwrap();
        write!(stream, "GET /api/session/{}", "n".repeat(70_000)).unwrap();
        stream.write_all(b" HTTP/1.1\r\nhost: demo\r\n\r\n").unwrap();
        let mut response = [0; 12];
        stream.read_exact(&mut response).unwrap();
        assert_eq!(&response, b"HTTP/1.1 414");
        client.get("/health").assert_status(200);
    }
}

#[test]
fn nested_json_is_returned_unchanged_or_is_a_400() {
    for demo in one_of_each_store() {
        let client = demo.client();
        let deep = nested(120);
        client.put("/api/session/deep", &deep).assert_status(204);
        assert_eq!(client.get("/api/session/deep").body, deep);
        assert_eq!(client.get("/api/session").status, 200);
        for depth in 121..140 {
            let deep = nested(depth);
            let put = client.put("/api/session/deep", &deep);
            let got = client.get("/api/session/deep");
            match put.status {
                204 => assert_eq!((got.status, got.body), (200, deep), "{depth}"),
                status => assert_eq!((status, got.status), (400, 200), "{depth}"),
            }
            assert_eq!(client.get("/api/session").status, 200, "{depth}");
            assert_eq!(client.get("/").status, 200, "{depth}");
        }
    }
}

#[test]
fn too_deeply_nested_json_is_a_400() {
    for demo in one_of_each_store() {
        let client = demo.client();
        for deep in [nested(10_000), "[".repeat(1_000_000), "{\"a\":".repeat(100_000)] {
            client.put("/api/session/deep", &deep).assert_status(400);
            client.post("/api/login", &format!("{{\"user\":{deep}")).assert_status(400);
        }
        assert_eq!(client.cookie(), None);
        client.get("/health").assert_status(200);
    }
}

#[test]
fn body_up_to_two_mebibytes_is_stored_and_a_larger_one_is_a_413() {
    let text = |length: usize| Value::String("x".repeat(length - 2)).to_string();
    for demo in one_of_each_store_without_item_limit() {
        let client = demo.client();
        let most = text(BODY_LIMIT);
        client.put("/api/session/most", &most).assert_status(204);
        assert_eq!(client.get("/api/session/most").body, most);
        client.put("/api/session/most", &text(BODY_LIMIT + 1)).assert_status(413);
        client.submit("/values", &format!("name=a&value={most}")).assert_status(413);
        assert_eq!(client.get("/api/session/most").body, most);
    }
}
