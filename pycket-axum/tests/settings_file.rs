//! The demo's settings file: an engine, settings of its storage, of the cookie and of the lifetime.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

#[path = "../examples/demo/settings.rs"]
mod settings;

use std::fs;
use std::path::Path;

use pycket_cookie::{CookieSettings, Persistence, SessionCookie};
use settings::Settings;

/// What whoever starts a program with such a file is told.
fn read(text: &str) -> Result<Settings, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pycket.toml");
    fs::write(&path, text).unwrap();
    Settings::read(&path).map_err(|error| error.to_string())
}

fn refused(text: &str) -> String {
    match read(text) {
        Ok(settings) => settings.manager().unwrap_err().to_string(),
        Err(message) => message,
    }
}

#[tokio::test]
async fn engine_storage_cookies_and_lifetime_are_read_from_a_file() {
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
fn every_engine_is_chosen_by_its_name_and_reads_storage_settings_of_its_own() {
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
        refused("pycket = { engine = \"memory\", storage = { host = \"redis.example\" } }");
    assert!(message.contains("storage: unknown field `host`"), "{message}");
}

#[test]
fn missing_settings_and_a_missing_engine_are_errors_that_say_so() {
    let message = refused("");
    assert!(message.contains("missing field `pycket`"), "{message}");
    let message = refused("[pycket]");
    assert!(message.contains("missing field `engine`"), "{message}");
    let missing = Settings::read(Path::new("no such file")).map(drop).unwrap_err().to_string();
    assert!(missing.contains("cannot read no such file"), "{missing}");
}

#[test]
fn an_unknown_engine_is_an_error_that_names_it_and_lists_the_known() {
    let message = refused("pycket.engine = \"cassandra\"");
    for part in ["`cassandra`", "`memory`", "`redis`", "`memcached`"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_wrong_storage_setting_is_named_and_a_password_is_not_repeated() {
    let message = refused(
        "pycket = { engine = \"redis\", storage = { passwrod = \"open sesame\", port = 1 } }",
    );
    assert!(message.contains("`passwrod`") && message.contains("`db_sessions`"), "{message}");
    assert!(!message.contains("sesame"), "{message}");
}

#[test]
fn the_files_beside_the_demo_are_valid() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo");
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    let read = files.map(|path| {
        let settings = Settings::read(&path).unwrap();
        let cookie =
            SessionCookie::new(settings.cookies.clone(), &pycket_cookie::KeyRing::generate());
        assert!(cookie.is_persistent(), "it follows the session, for those who are remembered");
        settings.manager().unwrap();
    });
    assert!(read.count() >= 2);
}
