//! Settings read from a file.

use pycket_core::KeySpace;

use crate::*;

fn read(text: &str) -> Result<RedisStoreBuilder, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

#[test]
fn empty_file_gives_the_defaults() {
    let shown = format!("{:?}", read("").unwrap());
    assert_eq!(shown, format!("{:?}", RedisStore::builder("redis://localhost")));
}

#[test]
fn settings_of_a_file_are_those_of_the_builder() {
    let text = "url = \"redis://localhost\"\nprefix = \"shop:\"\ndb_sessions = 2\ndb_notifications = 3\n\
                max_connections = 4\nmax_response_bytes = 5000000\nconnect_timeout_ms = 6\n\
                response_timeout_ms = 7\ndeadline_ms = 8\nwait_replicas = 9\nwait_timeout_ms = 10";
    let millis = Duration::from_millis;
    let builder = RedisStore::builder("redis://localhost").prefix("shop:");
    let builder = builder.db_sessions(2).db_notifications(3).max_connections(4);
    let builder = builder.max_response_bytes(5_000_000).connect_timeout(millis(6));
    let builder = builder.response_timeout(millis(7)).deadline(millis(8));
    let builder = builder.wait_replicas(9, millis(10));
    assert_eq!(format!("{:?}", read(text).unwrap()), format!("{builder:?}"));
}

#[tokio::test]
async fn every_setting_in_a_file_is_applied() {
    let server = Server::redis();
    let mut operator = operator(&server);
    let () = run(&mut operator, "CONFIG SET requirepass sesame");
    let text = format!(
        "host = \"127.0.0.1\"\nport = {}\npassword = \"sesame\"\nprefix = \"shop:\"\n\
         db_sessions = 3\ndb_notifications = 4\nmax_connections = 2\nmax_response_bytes = 1048576\n\
         connect_timeout_ms = 60000\nresponse_timeout_ms = 60000",
        server.port()
    );
    let (sessions, notifications) = read(&text).unwrap().build_with_notifications().unwrap();
    for (store, dataset, database) in
        [(sessions, KeySpace::SESSIONS, 3), (notifications, KeySpace::NOTIFICATIONS, 4)]
    {
        let id = put(&store, &record([])).await;
        let () = run(&mut operator, &format!("SELECT {database}"));
        let keys: Vec<String> = run(&mut operator, "KEYS *");
        assert_eq!(keys, [KeySpace::new("shop:", dataset).key(&id)]);
    }
}

#[tokio::test]
async fn ipv6_address_works_with_and_without_brackets() {
    let server = Server::redis();
    let mut command = redis::cmd("CONFIG");
    command.arg("SET").arg("bind").arg("127.0.0.1 ::1");
    command.exec(&mut operator(&server)).unwrap();
    let port = server.port();
    for settings in [
        format!("host = \"::1\"\nport = {port}"),
        format!("host = \"[::1]\"\nport = {port}"),
        format!("url = \"redis://[::1]:{port}\""),
    ] {
        let store = read(&settings).unwrap().deadline(Duration::ZERO).build().unwrap();
        assert_eq!(kinds(&store).await, [None; 4], "{settings}");
    }
}

#[test]
fn unknown_setting_is_an_error_that_lists_the_known_ones() {
    let message = read("passwrod = \"sesame\"").unwrap_err();
    assert!(message.contains("unknown field `passwrod`"), "{message}");
    assert!(message.contains("`password`") && !message.contains("sesame"), "{message}");
}

#[test]
fn password_that_is_not_a_string_is_not_shown() {
    for value in ["12345", "-12345", "1.2345", "true", "[12345]"] {
        let message = read(&format!("password = {value}")).unwrap_err();
        assert!(!message.contains("2345") && !message.contains("true"), "{message}");
    }
}

#[test]
fn url_together_with_host_or_port_is_an_error() {
    let message = read("url = \"redis://:sesame@localhost\"\nport = 1").unwrap_err();
    assert!(message.contains("either `url` or `host`"), "{message}");
    assert!(!message.contains("sesame"), "{message}");
}

#[cfg(feature = "tls")]
#[test]
fn certificate_file_that_cannot_be_read_is_named() {
    let file = "url = \"rediss://localhost\"\ntls_authority_file = \"missing.pem\"";
    let message = read(file).unwrap_err();
    assert!(message.contains("cannot read `tls_authority_file`, missing.pem"), "{message}");
}
