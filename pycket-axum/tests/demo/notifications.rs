//! Notifications, settings files and "remember me".

use std::sync::Barrier;

use serde_json::json;

use crate::client::Client;
use crate::program::{Demo, one_of_each_store, redis};

#[test]
fn notification_is_read_once_and_then_a_404() {
    for demo in one_of_each_store() {
        let client = demo.client();
        client.put("/api/notifications/info", "\"Saved.\"").assert_status(204);
        client.put("/api/notifications/more", "[1, 2]").assert_status(204);
        for _ in 0..2 {
            assert_eq!(client.get("/api/notifications").json(), json!(["info", "more"]));
        }
        assert_eq!(client.get("/api/notifications/info").json(), json!("Saved."));
        let again = client.get("/api/notifications/info");
        again.assert_error(404, "`info` not found in notifications");
        assert_eq!(client.get("/api/notifications").json(), json!(["more"]));
        assert_eq!(client.data(), json!({}), "notifications are not values of the session");
        client.put("/api/notifications/info", "{no json").assert_status(400);
    }
}

#[test]
fn reading_absent_notifications_sets_no_cookie() {
    for demo in one_of_each_store() {
        let client = demo.client();
        assert_eq!(client.get("/api/notifications").json(), json!([]));
        client.get("/api/notifications/info").assert_status(404);
        assert_eq!(client.cookie(), None);
    }
}

#[test]
fn message_is_shown_once_after_the_redirect() {
    for demo in one_of_each_store() {
        let client = demo.client();
        client.submit("/sign-in", "user=%3Cb%3Eann%3C%2Fb%3E").assert_status(303);
        let message = "Welcome, &lt;b&gt;ann&lt;/b&gt;.";
        assert!(client.get("/").body.contains(message));
        assert!(!client.get("/").body.contains(message));
    }
}

#[test]
fn one_of_two_concurrent_readers_gets_each_notification() {
    const ROUNDS: usize = 1000;
    let directory = tempfile::tempdir().unwrap();
    let key_file = directory.path().join("key");
    let (store, key_file) = (redis().url(), key_file.to_str().unwrap());
    let arguments = ["--store", &store, "--key-file", key_file];
    let [one, two] = [Demo::start(&arguments), Demo::start(&arguments)];
    let at_one = Client::with_keep_alive(one.url());
    at_one.put("/api/session/user", "\"ann\"").assert_status(204);
    let at_two = Client::with_keep_alive(two.url()).with_cookie(at_one.cookie());

    let start = Barrier::new(2);
    let race = |client: &Client, sets: bool| -> Vec<bool> {
        (0..ROUNDS)
            .map(|round| {
                if sets {
                    let put = client.put("/api/notifications/info", &round.to_string());
                    put.assert_status(204);
                }
                start.wait();
                let response = client.get("/api/notifications/info");
                start.wait();
                assert!(response.status == 404 || response.json() == json!(round), "{response:?}");
                response.status == 200
            })
            .collect()
    };
    let (first, second) = std::thread::scope(|scope| {
        let second = scope.spawn(|| race(&at_two, false));
        (race(&at_one, true), second.join().unwrap())
    });
    for (round, (first, second)) in first.into_iter().zip(second).enumerate() {
        assert!(first != second, "in round {round}: {first} and {second}");
    }
}

#[test]
fn remembered_session_has_its_own_idle_timeout() {
    for demo in one_of_each_store() {
        let client = demo.client();
        let month = 30 * 86_400;
        let login = format!("{{\"user\": \"ann\", \"remember\": {month}}}");
        client.post("/api/login", &login).assert_status(204);
        client.put("/api/session/n", "1").assert_status(204);
        let left = client.get("/api/session").json()["expires_in"].as_u64().unwrap();
        assert!((month - 3600..=month).contains(&left), "{left}");
        client.post("/api/login", "{\"user\": \"ann\", \"remember\": 0}").assert_status(400);
    }
}

#[test]
fn settings_file_sets_engine_cookie_and_idle_timeout() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pycket.toml");
    let text = format!(
        "[pycket]\nengine = \"redis\"\n[pycket.storage]\nhost = \"127.0.0.1\"\nport = {}\n\
         [pycket.cookies]\nname = \"sid\"\nsecure = false\nfollow_session = true\n\
         [pycket.lifetime]\nidle = 600\n",
        redis().port()
    );
    std::fs::write(&file, text).unwrap();
    let demo = Demo::start(&["--config", file.to_str().unwrap()]);
    let client = demo.client();
    let response = client.put("/api/session/n", "1");
    let cookie = response.set_cookie().unwrap();
    assert!(cookie.starts_with("sid=") && cookie.contains("Max-Age="), "{cookie}");
    assert!(client.get("/api/session").json()["expires_in"].as_u64().unwrap() <= 600);
}
