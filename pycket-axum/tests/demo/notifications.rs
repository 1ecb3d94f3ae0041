//! Notifications, settings files and "remember me", over HTTP.

use std::sync::Barrier;

use serde_json::json;

use crate::program::{Demo, one_of_each_store, redis};
use crate::visitor::Visitor;

#[test]
fn a_notification_is_read_once_and_then_a_404() {
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        visitor.put("/api/notifications/info", "\"Saved.\"").assert_status(204);
        visitor.put("/api/notifications/more", "[1, 2]").assert_status(204);
        for _ in 0..2 {
            assert_eq!(visitor.get("/api/notifications").json(), json!(["info", "more"]));
        }
        assert_eq!(visitor.get("/api/notifications/info").json(), json!("Saved."));
        let again = visitor.get("/api/notifications/info");
        again.assert_error(404, "`info` not found in notifications");
        assert_eq!(visitor.get("/api/notifications").json(), json!(["more"]));
        assert_eq!(visitor.data(), json!({}), "the session has nothing of it");
        visitor.put("/api/notifications/info", "{no json").assert_status(400);
    }
}

#[test]
fn looking_for_notifications_leaves_nothing() {
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        assert_eq!(visitor.get("/api/notifications").json(), json!([]));
        visitor.get("/api/notifications/info").assert_status(404);
        assert_eq!(visitor.cookie(), None);
    }
}

#[test]
fn a_message_is_shown_after_the_redirect_and_never_again() {
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        visitor.submit("/sign-in", "user=%3Cb%3Eann%3C%2Fb%3E").assert_status(303);
        let message = "Welcome, &lt;b&gt;ann&lt;/b&gt;.";
        assert!(visitor.get("/").body.contains(message));
        assert!(!visitor.get("/").body.contains(message));
    }
}

#[test]
fn of_two_browsers_at_two_servers_exactly_one_gets_a_notification_a_thousand_times() {
    const ROUNDS: usize = 1000;
    let directory = tempfile::tempdir().unwrap();
    let key_file = directory.path().join("key");
    let (store, key_file) = (redis().url(), key_file.to_str().unwrap());
    let arguments = ["--store", &store, "--key-file", key_file];
    let [one, two] = [Demo::start(&arguments), Demo::start(&arguments)];
    let at_one = one.visitor();
    at_one.put("/api/session/user", "\"ann\"").assert_status(204);
    let at_two = at_one.at(two.url());

    let start = Barrier::new(2);
    let race = |visitor: &Visitor, sets: bool| -> Vec<bool> {
        (0..ROUNDS)
            .map(|round| {
                if sets {
                    let put = visitor.put("/api/notifications/info", &round.to_string());
                    put.assert_status(204);
                }
                start.wait();
                let answer = visitor.get("/api/notifications/info");
                start.wait();
                assert!(answer.status == 404 || answer.json() == json!(round), "{answer:?}");
                answer.status == 200
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
fn whoever_is_remembered_keeps_the_session_for_as_long_as_asked() {
    for demo in one_of_each_store() {
        let visitor = demo.visitor();
        let month = 30 * 86_400;
        let login = format!("{{\"user\": \"ann\", \"remember\": {month}}}");
        visitor.post("/api/login", &login).assert_status(204);
        visitor.put("/api/session/n", "1").assert_status(204);
        let left = visitor.get("/api/session").json()["expires_in"].as_u64().unwrap();
        assert!((month - 3600..=month).contains(&left), "{left}");
        visitor.post("/api/login", "{\"user\": \"ann\", \"remember\": 0}").assert_status(400);
    }
}

#[test]
fn a_settings_file_decides_engine_cookie_and_lifetime() {
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
    let visitor = demo.visitor();
    let answer = visitor.put("/api/session/n", "1");
    let cookie = answer.set_cookie().unwrap();
    assert!(cookie.starts_with("sid=") && cookie.contains("Max-Age="), "{cookie}");
    assert!(visitor.get("/api/session").json()["expires_in"].as_u64().unwrap() <= 600);
}
