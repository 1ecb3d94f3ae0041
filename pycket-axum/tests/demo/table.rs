//! The JSON interface, row by row, on each store.

use serde_json::json;

use crate::program::one_of_each_store;

#[test]
fn health_is_ok_and_never_touches_the_session() {
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        visitor.put("/api/session/user", "\"ann\"").assert_status(204);
        let answer = visitor.get("/health");
        assert_eq!((answer.status, &*answer.body), (200, "ok"));
        assert!(!answer.headers.contains_key("vary") && answer.set_cookie().is_none());
    }
}

#[test]
fn a_first_visit_shows_an_empty_new_session() {
    for demo in one_of_each_store() {
        let answer = demo.visitor().get("/api/session");
        answer.assert_status(200);
        assert_eq!(answer.json(), json!({ "new": true, "expires_in": null, "data": {} }));
        assert_eq!(answer.headers["vary"], "cookie");
        assert!(answer.set_cookie().is_none());
    }
}

#[test]
fn what_is_put_is_there_in_the_next_request() {
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        let put = visitor.put("/api/session/user", "{\"name\": \"ann\", \"tags\": [1, null]}");
        assert_eq!((put.status, &*put.body), (204, ""));
        let attributes = put.set_cookie().unwrap().split_once(';').unwrap().1;
        assert_eq!(attributes, " HttpOnly; SameSite=Lax; Path=/");

        let got = visitor.get("/api/session/user");
        assert_eq!((got.status, got.json()), (200, json!({ "name": "ann", "tags": [1, null] })));
        let shown = visitor.get("/api/session").json();
        assert_eq!(shown["new"], json!(false));
        assert_eq!(shown["data"], json!({ "user": { "name": "ann", "tags": [1, null] } }));
        let expires_in = shown["expires_in"].as_u64().unwrap();
        assert!((86_000..=86_400).contains(&expires_in), "{expires_in}");
    }
}

#[test]
fn every_kind_of_json_comes_back_as_it_went() {
    let values = json!({
        "null": null, "true": true, "text": "é\u{1f36a}\n\"", "empty": "", "zero": 0, "negative": -1,
        "big": u64::MAX, "small": i64::MIN, "fraction": 0.1, "huge": 1e300, "array": [], "object": {},
        "mixed": [1, "two", [3.5, { "four": null }]],
    });
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        for (name, value) in values.as_object().unwrap() {
            visitor.put(&format!("/api/session/{name}"), &value.to_string()).assert_status(204);
            assert_eq!(visitor.get(&format!("/api/session/{name}")).json(), *value);
        }
        assert_eq!(visitor.data(), values);
    }
}

#[test]
fn a_body_that_is_not_json_is_a_400_and_changes_nothing() {
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        visitor.put("/api/session/user", "\"ann\"").assert_status(204);
        for body in ["", "ann", "{", "[1,]", "\"ann\" \"bob\"", "NaN", "'ann'", "\u{feff}1"] {
            let answer = visitor.put("/api/session/user", body);
            answer.assert_status(400);
            let error = answer.json()["error"].as_str().unwrap().to_owned();
            assert!(error.starts_with("the body is not the JSON expected: "), "{error}");
        }
        assert_eq!(visitor.data(), json!({ "user": "ann" }));
        assert!(demo.visitor().put("/api/session/user", "{").set_cookie().is_none());
    }
}

#[test]
fn a_name_that_is_not_there_is_a_404_that_says_so() {
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        visitor.get("/api/session/name").assert_error(404, "`name` not found in session");
        visitor.put("/api/session/user", "null").assert_status(204);
        visitor.get("/api/session/name").assert_error(404, "`name` not found in session");
        assert_eq!(visitor.get("/api/session/user").body, "null", "a stored null is there");
    }
}

#[test]
fn what_is_deleted_is_gone_and_deleting_what_is_not_there_is_no_error() {
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        visitor.delete("/api/session/user").assert_status(204);
        assert_eq!(visitor.cookie(), None);
        visitor.put("/api/session/user", "1").assert_status(204);
        visitor.put("/api/session/age", "2").assert_status(204);
        for _ in 0..2 {
            visitor.delete("/api/session/user").assert_status(204);
            assert_eq!(visitor.data(), json!({ "age": 2 }));
        }
        visitor.delete("/api/session/age").assert_status(204);
        let shown = visitor.get("/api/session").json();
        assert_eq!((&shown["new"], &shown["data"]), (&json!(false), &json!({})), "it lives on");
    }
}

#[test]
fn an_increment_counts_from_nothing_and_answers_with_the_number() {
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        for expected in 1..=3 {
            let answer = visitor.increment("visits");
            assert_eq!((answer.status, answer.json()), (200, json!(expected)));
        }
        visitor.put("/api/session/half", "0.5").assert_status(204);
        assert_eq!(visitor.increment("half").json(), json!(1.5));
        visitor.put("/api/session/debt", "-1").assert_status(204);
        assert_eq!(visitor.increment("debt").json(), json!(0));
        visitor.put("/api/session/most", &i64::MAX.to_string()).assert_status(204);
        assert_eq!(visitor.increment("most").json(), json!(i64::MAX as u64 + 1));
        visitor.put("/api/session/last", &u64::MAX.to_string()).assert_status(204);
        let beyond = visitor.increment("last").json();
        assert_eq!(beyond, json!(u64::MAX as f64), "a number wraps around to nothing");
        assert_eq!(visitor.data()["visits"], json!(3));
    }
}

#[test]
fn an_increment_of_what_is_no_number_is_a_409_and_leaves_it() {
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        for value in ["\"ann\"", "[1]", "{}", "true", "null", "\"1\""] {
            visitor.put("/api/session/user", value).assert_status(204);
            visitor.increment("user").assert_error(409, "`user` is not a number");
            assert_eq!(visitor.get("/api/session/user").body, value);
        }
    }
}

#[test]
fn a_login_changes_the_cookie_and_keeps_what_the_session_holds() {
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        visitor.put("/api/session/cart", "[7]").assert_status(204);
        let before = demo.visitor().with_cookie(visitor.cookie());
        visitor.post("/api/login", "{\"user\": \"ann\"}").assert_status(204);
        assert_ne!(visitor.cookie(), before.cookie());
        assert_eq!(visitor.data(), json!({ "cart": [7], "user": "ann" }));
        assert_eq!(before.data(), json!({}), "the old id is dead");

        let stranger = demo.visitor();
        stranger.post("/api/login", "{\"user\": 7}").assert_status(204);
        assert_eq!(stranger.data(), json!({ "user": 7 }));
        for body in ["", "{}", "7", "{\"name\": \"ann\"}"] {
            stranger.post("/api/login", body).assert_status(400);
        }
    }
}

#[test]
fn a_logout_ends_the_session_and_removes_the_cookie() {
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        visitor.post("/api/login", "{\"user\": \"ann\"}").assert_status(204);
        let thief = demo.visitor().with_cookie(visitor.cookie());
        let answer = visitor.post("/api/logout", "");
        answer.assert_status(204);
        assert!(answer.set_cookie().unwrap().starts_with("PYCKET_ID=; "));
        assert_eq!(visitor.cookie(), None);
        assert_eq!(thief.data(), json!({}));
        visitor.post("/api/logout", "").assert_status(204);
    }
}

#[test]
fn unknown_paths_and_methods_are_refused_without_a_session() {
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        visitor.get("/nothing").assert_status(404);
        visitor.put("/api/session/", "1").assert_status(404);
        visitor.post("/api/session/user", "1").assert_status(405);
        visitor.get("/api/login").assert_status(405);
        assert_eq!(visitor.cookie(), None);
    }
}
