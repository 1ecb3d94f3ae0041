//! "Your devices": the sessions of a user, as JSON and on the page.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::client::Client;
use crate::program::{Demo, one_of_each_store, redis};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 \
    (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

/// A user whom no other test has, because the tests share their stores.
fn user(name: &str) -> String {
    static USERS: AtomicU32 = AtomicU32::new(0);
    format!("{name}-{}", USERS.fetch_add(1, Ordering::Relaxed))
}

fn signed_in(demo: &Demo, user: &str) -> Client {
    let client = demo.client();
    client.post("/api/login", &json!({ "user": user }).to_string()).assert_status(204);
    client
}

/// The devices of the client's user, those that are not the client itself last.
fn devices(client: &Client) -> Vec<Value> {
    let response = client.get("/api/sessions");
    response.assert_status(200);
    let mut devices = response.json().as_array().unwrap().clone();
    devices.sort_by_key(|device| device["current"] != json!(true));
    devices
}

fn handle(device: &Value) -> String {
    format!("/api/sessions/{}", device["handle"].as_str().unwrap())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn list_has_every_session_of_the_user_and_marks_this_one() {
    for demo in one_of_each_store() {
        let (ann, bob) = (&user("ann"), &user("bob"));
        let before = now();
        let laptop = demo.client().with_user_agent(FIREFOX);
        let phone = demo.client().with_user_agent(SAFARI);
        for client in [&laptop, &phone] {
            client.post("/api/login", &json!({ "user": ann }).to_string()).assert_status(204);
        }
        signed_in(&demo, bob);

        let [this, other] = &devices(&phone)[..] else { panic!("expected two devices") };
        assert_eq!((&this["current"], &other["current"]), (&json!(true), &json!(false)));
        assert_eq!(this["label"], "Safari on iPhone");
        assert_eq!(other["label"], "Firefox on Linux");
        for device in [this, other] {
            assert_eq!(device.as_object().unwrap().len(), 5);
            for time in ["signed_in_at", "last_seen_at"] {
                let time = device[time].as_u64().unwrap();
                assert!((before - 1..=now() + 1).contains(&time), "{device}");
            }
            for client in [&laptop, &phone] {
                let cookie = client.cookie().unwrap();
                assert!(!cookie.contains(device["handle"].as_str().unwrap()));
            }
        }
    }
}

#[test]
fn client_without_a_user_gets_a_401() {
    for demo in one_of_each_store() {
        let ann = &user("ann");
        let anonymous = demo.client();
        anonymous.put("/api/session/cart", "1").assert_status(204);
        let handle = handle(&devices(&signed_in(&demo, ann))[0]);
        for response in [
            anonymous.get("/api/sessions"),
            anonymous.delete("/api/sessions"),
            anonymous.delete(&handle),
            demo.client().get("/api/sessions"),
        ] {
            response.assert_error(401, "no user is signed in");
        }
    }
}

#[test]
fn ended_device_is_signed_out_and_the_others_stay() {
    for demo in one_of_each_store() {
        let ann = &user("ann");
        let (laptop, phone) = (signed_in(&demo, ann), signed_in(&demo, ann));
        let other = handle(&devices(&laptop)[1]);
        laptop.delete(&other).assert_status(204);
        assert_eq!(phone.data(), json!({}));
        phone.get("/api/sessions").assert_status(401);
        assert_eq!(laptop.data(), json!({ "user": ann }));
        assert_eq!(devices(&laptop).len(), 1);
        laptop.delete(&other).assert_error(404, "you have no session with this handle");
    }
}

#[test]
fn handle_of_another_user_or_of_no_session_is_a_404() {
    for demo in one_of_each_store() {
        let ann = signed_in(&demo, &user("ann"));
        let bob = signed_in(&demo, &user("bob"));
        let of_ann = handle(&devices(&ann)[0]);
        let unknown = format!("/api/sessions/{}", "0".repeat(32));
        for handle in [&of_ann, &unknown, "/api/sessions/x", "/api/sessions/%00"] {
            bob.delete(handle).assert_error(404, "you have no session with this handle");
        }
        assert_eq!(devices(&ann).len(), 1);
    }
}

#[test]
fn own_handle_signs_this_client_out_and_removes_its_cookie() {
    for demo in one_of_each_store() {
        let ann = &user("ann");
        let (laptop, phone) = (signed_in(&demo, ann), signed_in(&demo, ann));
        laptop.delete(&handle(&devices(&laptop)[0])).assert_status(204);
        assert_eq!(laptop.cookie(), None);
        assert_eq!(devices(&phone).len(), 1);
    }
}

#[test]
fn ending_all_others_keeps_this_one_and_other_users() {
    for demo in one_of_each_store() {
        let (ann, bob) = (&user("ann"), &user("bob"));
        let (this, other_user) = (signed_in(&demo, ann), signed_in(&demo, bob));
        let others = [signed_in(&demo, ann), signed_in(&demo, ann)];
        this.delete("/api/sessions").assert_status(204);
        for other in &others {
            assert_eq!(other.data(), json!({}));
        }
        assert_eq!(this.data(), json!({ "user": ann }));
        assert_eq!(devices(&this).len(), 1);
        assert_eq!(other_user.data(), json!({ "user": bob }));
    }
}

#[test]
fn sign_out_removes_the_device_from_the_list() {
    for demo in one_of_each_store() {
        let ann = &user("ann");
        let (laptop, phone) = (signed_in(&demo, ann), signed_in(&demo, ann));
        phone.post("/api/logout", "").assert_status(204);
        assert_eq!(devices(&laptop).len(), 1);
    }
}

#[test]
fn user_may_be_any_json_and_the_empty_text_is_a_400() {
    for demo in one_of_each_store() {
        for user in [json!(7), json!({ "name": "é\u{1f36a}" }), json!("x".repeat(1024))] {
            let client = demo.client();
            client.post("/api/login", &json!({ "user": user }).to_string()).assert_status(204);
            assert_eq!(devices(&client)[0]["current"], json!(true));
            assert_eq!(client.data()["user"], user);
        }
        for user in [json!(""), json!("x".repeat(1025))] {
            let client = demo.client();
            client.post("/api/login", &json!({ "user": user }).to_string()).assert_status(400);
            assert_eq!(client.cookie(), None);
        }
    }
}

#[test]
fn page_lists_the_devices_and_its_buttons_end_them() {
    for demo in one_of_each_store() {
        let ann = &user("ann");
        let (laptop, phone) = (demo.client().with_user_agent(FIREFOX), signed_in(&demo, ann));
        assert!(!laptop.get("/").body.contains("Your devices"));
        laptop.submit("/sign-in", &format!("user={ann}")).assert_status(303);
        signed_in(&demo, ann);
        let page = laptop.get("/").body;
        assert_eq!(page.matches("action=\"/devices/end\"").count(), 2, "{page}");
        assert!(page.contains("Firefox on Linux") && page.contains("this one"), "{page}");

        let of_phone = devices(&phone)[0]["handle"].as_str().unwrap().to_owned();
        let ended = laptop.submit("/devices/end", &format!("handle={of_phone}"));
        assert_eq!(ended.headers["location"], "/?device-signed-out");
        assert!(laptop.get("/?device-signed-out").body.contains("The device is signed out."));
        assert_eq!(phone.data(), json!({}));
        let again = laptop.submit("/devices/end", &format!("handle={of_phone}"));
        assert_eq!(again.headers["location"], "/?device-unknown");

        let others = laptop.submit("/devices/end-others", "");
        assert_eq!(others.headers["location"], "/?others-signed-out");
        let page = laptop.get("/?others-signed-out").body;
        assert!(page.contains("All other devices are signed out."), "{page}");
        assert!(!page.contains("action=\"/devices/end"), "{page}");
        for path in ["/devices/end", "/devices/end-others"] {
            let response = phone.submit(path, &format!("handle={of_phone}"));
            assert_eq!(response.headers["location"], "/?session-ended");
        }
    }
}

#[test]
fn label_of_a_client_is_text_and_no_markup() {
    for demo in one_of_each_store() {
        let ann = &user("ann");
        let client = demo.client().with_user_agent("<b>&\"'");
        client.post("/api/login", &json!({ "user": ann }).to_string()).assert_status(204);
        assert!(!client.get("/").body.contains("<b>"));
        assert_eq!(devices(&client)[0]["label"], "<b>&\"'");
    }
}

#[test]
fn two_servers_on_one_redis_end_each_others_sessions() {
    let directory = tempfile::tempdir().unwrap();
    let key_file = directory.path().join("key");
    let (store, key_file) = (redis().url(), key_file.to_str().unwrap());
    let arguments = ["--store", &store, "--key-file", key_file];
    let [one, two] = [Demo::start(&arguments), Demo::start(&arguments)];
    let ann = &user("ann");
    let (here, there) = (signed_in(&one, ann), signed_in(&two, ann));
    assert_eq!(devices(&here).len(), 2);
    here.delete("/api/sessions").assert_status(204);
    assert_eq!(there.data(), json!({}));
    assert_eq!(here.data(), json!({ "user": ann }));
}
