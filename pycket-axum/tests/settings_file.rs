//! The settings file of the demo: the engine, its storage, the cookie and the timeouts.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

#[path = "../examples/demo/settings.rs"]
mod settings;

use std::fs;
use std::path::Path;

use pycket_cookie::{CookieSettings, Persistence, SessionCookie};
use settings::Settings;

/// The settings in a file with this text, or the error that the program prints.
fn read(text: &str) -> Result<Settings, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pycket.toml");
    fs::write(&path, text).unwrap();
    Settings::read(&path).map_err(|error| error.to_string())
}

fn error_text(text: &str) -> String {
    match read(text) {
        Ok(settings) => settings.manager().unwrap_err().to_string(),
        Err(message) => message,
    }
}

#[tokio::test]
async fn engine_storage_cookies_and_timeouts_are_read_from_a_file() {
    let text = r#"
        [pycket]
        engine = "memory"

        [pycket.cookies]
        name = "sid"
        expires_days = 120

        [pycket.lifetime]
        idle = 600
    "#;
    let settings = read(text).unwrap();
    let cookies = CookieSettings::builder().name("sid").persistence(Persistence::days(120));
    assert_eq!(settings.cookies, cookies.build().unwrap());

    let session = settings.manager().unwrap().open(None).await.unwrap();
    session.set("user", "ann").unwrap();
    session.notifications().set("info", "Hello.").unwrap();
    session.commit().await.unwrap();
    let expires_in = session.expires_in().unwrap().as_secs();
    assert!((500..=600).contains(&expires_in), "{expires_in}");
}

#[test]
fn each_engine_is_chosen_by_name_and_has_its_own_storage_settings() {
    for text in [
        "pycket.engine = \"memory\"",
        "pycket.engine = \"redis\"",
        "pycket.engine = \"memcached\"",
        "pycket = { engine = \"memcached\", storage = { servers = [\"one\", \"two:11212\"] } }",
        "pycket = { engine = \"redis\", storage = { host = \"redis.example\", db_sessions = 10 } }",
    ] {
        read(text).unwrap().manager().unwrap();
    }
    let message =
        error_text("pycket = { engine = \"memory\", storage = { host = \"redis.example\" } }");
    assert!(message.contains("storage: unknown field `host`"), "{message}");
}

#[test]
fn missing_settings_and_engine_are_errors_that_name_them() {
    let message = error_text("");
    assert!(message.contains("missing field `pycket`"), "{message}");
    let message = error_text("[pycket]");
    assert!(message.contains("missing field `engine`"), "{message}");
    let missing = Settings::read(Path::new("no such file")).map(drop).unwrap_err().to_string();
    assert!(missing.contains("cannot read no such file"), "{missing}");
}

#[test]
fn unknown_engine_is_an_error_that_lists_the_known_ones() {
    let message = error_text("pycket.engine = \"cassandra\"");
    for part in ["`cassandra`", "`memory`", "`redis`", "`memcached`"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn error_about_an_unknown_setting_names_it_and_hides_the_password() {
    let message = error_text(
        "pycket = { engine = \"redis\", storage = { passwrod = \"open sesame\", port = 1 } }",
    );
    assert!(message.contains("`passwrod`") && message.contains("`db_sessions`"), "{message}");
    assert!(!message.contains("sesame"), "{message}");
}

#[test]
fn settings_files_of_the_demo_are_valid() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo");
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    let read = files.map(|path| {
        let settings = Settings::read(&path).unwrap();
        let cookie =
            SessionCookie::new(settings.cookies.clone(), &pycket_cookie::KeyRing::generate());
        assert!(cookie.is_persistent(), "the cookie follows the session, for \"remember me\"");
        settings.manager().unwrap();
    });
    assert!(read.count() >= 2);
}
