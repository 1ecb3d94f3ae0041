//! The rows of the README's table of the JSON interface, on each store.

use serde_json::json;

use crate::program::one_of_each_store;

#[test]
fn health_is_ok_and_does_not_use_the_session() {
    for demo in one_of_each_store() {
        let client = demo.client();
        client.put("/api/session/user", "\"ann\"").assert_status(204);
        let response = client.get("/health");
        assert_eq!((response.status, &*response.body), (200, "ok"));
        assert!(!response.headers.contains_key("vary") && response.set_cookie().is_none());
    }
}

#[test]
fn first_request_shows_an_empty_new_session() {
    for demo in one_of_each_store() {
        let response = demo.client().get("/api/session");
        response.assert_status(200);
        assert_eq!(response.json(), json!({ "new": true, "expires_in": null, "data": {} }));
        assert_eq!(response.headers["vary"], "cookie");
        assert!(response.set_cookie().is_none());
    }
}

#[test]
fn put_value_is_returned_by_the_next_request() {
    for demo in one_of_each_store() {
        let client = demo.client();
        let put = client.put("/api/session/user", "{\"name\": \"ann\", \"tags\": [1, null]}");
        assert_eq!((put.status, &*put.body), (204, ""));
        let attributes = put.set_cookie().unwrap().split_once(';').unwrap().1;
        assert_eq!(attributes, " HttpOnly; SameSite=Lax; Path=/");

        let got = client.get("/api/session/user");
        assert_eq!((got.status, got.json()), (200, json!({ "name": "ann", "tags": [1, null] })));
        let shown = client.get("/api/session").json();
        assert_eq!(shown["new"], json!(false));
        assert_eq!(shown["data"], json!({ "user": { "name": "ann", "tags": [1, null] } }));
        let expires_in = shown["expires_in"].as_u64().unwrap();
        assert!((86_000..=86_400).contains(&expires_in), "{expires_in}");
    }
}

#[test]
fn each_kind_of_json_is_returned_unchanged() {
    let values = json!({
        "null": null, "true": true, "text": "é\u{1f36a}\n\"", "empty": "", "zero": 0, "negative": -1,
        "big": u64::MAX, "small": i64::MIN, "fraction": 0.1, "huge": 1e300, "array": [], "object": {},
        "mixed": [1, "two", [3.5, { "four": null }]],
    });
    for demo in one_of_each_store() {
        let client = demo.client();
        for (name, value) in values.as_object().unwrap() {
            client.put(&format!("/api/session/{name}"), &value.to_string()).assert_status(204);
            assert_eq!(client.get(&format!("/api/session/{name}")).json(), *value);
        }
        assert_eq!(client.data(), values);
    }
}

#[test]
fn body_that_is_not_json_is_a_400_and_changes_nothing() {
    for demo in one_of_each_store() {
        let client = demo.client();
        client.put("/api/session/user", "\"ann\"").assert_status(204);
        for body in ["", "ann", "{", "[1,]", "\"ann\" \"bob\"", "NaN", "'ann'", "\u{feff}1"] {
            let response = client.put("/api/session/user", body);
            response.assert_status(400);
            let error = response.json()["error"].as_str().unwrap().to_owned();
            assert!(error.starts_with("the body is not the JSON expected: "), "{error}");
        }
        assert_eq!(client.data(), json!({ "user": "ann" }));
        assert!(demo.client().put("/api/session/user", "{").set_cookie().is_none());
    }
}

#[test]
fn absent_name_is_a_404_that_names_it() {
    for demo in one_of_each_store() {
        let client = demo.client();
        client.get("/api/session/name").assert_error(404, "`name` not found in session");
        client.put("/api/session/user", "null").assert_status(204);
        client.get("/api/session/name").assert_error(404, "`name` not found in session");
        assert_eq!(client.get("/api/session/user").body, "null", "a stored null is present");
    }
}

#[test]
fn delete_removes_a_name_and_accepts_an_absent_one() {
    for demo in one_of_each_store() {
        let client = demo.client();
        client.delete("/api/session/user").assert_status(204);
        assert_eq!(client.cookie(), None);
        client.put("/api/session/user", "1").assert_status(204);
        client.put("/api/session/age", "2").assert_status(204);
        for _ in 0..2 {
            client.delete("/api/session/user").assert_status(204);
            assert_eq!(client.data(), json!({ "age": 2 }));
        }
        client.delete("/api/session/age").assert_status(204);
        let shown = client.get("/api/session").json();
        assert_eq!(
            (&shown["new"], &shown["data"]),
            (&json!(false), &json!({})),
            "the session stays alive"
        );
    }
}

#[test]
fn increment_starts_at_zero_and_returns_the_number() {
    for demo in one_of_each_store() {
        let client = demo.client();
        for expected in 1..=3 {
            let response = client.increment("visits");
            assert_eq!((response.status, response.json()), (200, json!(expected)));
        }
        client.put("/api/session/half", "0.5").assert_status(204);
        assert_eq!(client.increment("half").json(), json!(1.5));
        client.put("/api/session/debt", "-1").assert_status(204);
        assert_eq!(client.increment("debt").json(), json!(0));
        client.put("/api/session/most", &i64::MAX.to_string()).assert_status(204);
        assert_eq!(client.increment("most").json(), json!(i64::MAX as u64 + 1));
        client.put("/api/session/last", &u64::MAX.to_string()).assert_status(204);
        let beyond = client.increment("last").json();
        assert_eq!(beyond, json!(u64::MAX as f64), "a number beyond 64 bits becomes a float");
        assert_eq!(client.data()["visits"], json!(3));
    }
}

#[test]
fn increment_of_another_type_is_a_409_and_changes_nothing() {
    for demo in one_of_each_store() {
        let client = demo.client();
        for value in ["\"ann\"", "[1]", "{}", "true", "null", "\"1\""] {
            client.put("/api/session/user", value).assert_status(204);
            client.increment("user").assert_error(409, "`user` is not a number");
            assert_eq!(client.get("/api/session/user").body, value);
        }
    }
}

#[test]
fn login_changes_the_cookie_and_keeps_the_values() {
    for demo in one_of_each_store() {
        let client = demo.client();
        client.put("/api/session/cart", "[7]").assert_status(204);
        let before = demo.client().with_cookie(client.cookie());
        client.post("/api/login", "{\"user\": \"ann\"}").assert_status(204);
        assert_ne!(client.cookie(), before.cookie());
        assert_eq!(client.data(), json!({ "cart": [7], "user": "ann" }));
        assert_eq!(before.data(), json!({}), "the old id has ended");

        let other = demo.client();
        other.post("/api/login", "{\"user\": 7}").assert_status(204);
        assert_eq!(other.data(), json!({ "user": 7 }));
        for body in ["", "{}", "7", "{\"name\": \"ann\"}"] {
            other.post("/api/login", body).assert_status(400);
        }
    }
}

#[test]
fn logout_ends_the_session_and_removes_the_cookie() {
    for demo in one_of_each_store() {
        let client = demo.client();
        client.post("/api/login", "{\"user\": \"ann\"}").assert_status(204);
        let copy = demo.client().with_cookie(client.cookie());
        let response = client.post("/api/logout", "");
        response.assert_status(204);
        assert!(response.set_cookie().unwrap().starts_with("PYCKET_ID=; "));
        assert_eq!(client.cookie(), None);
        assert_eq!(copy.data(), json!({}));
        client.post("/api/logout", "").assert_status(204);
    }
}

#[test]
fn unknown_path_or_method_is_an_error_and_sets_no_cookie() {
    for demo in one_of_each_store() {
        let client = demo.client();
        client.get("/nothing").assert_status(404);
        client.put("/api/session/", "1").assert_status(404);
        client.post("/api/session/user", "1").assert_status(405);
        client.get("/api/login").assert_status(405);
        assert_eq!(client.cookie(), None);
    }
}
