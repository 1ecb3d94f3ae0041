//! Settings from a file, and the two datasets.

use crate::*;

fn read(text: &str) -> Result<MemcacheStoreBuilder, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

#[test]
fn empty_file_gives_the_defaults() {
    let default = MemcacheStore::builder().build().unwrap();
    let from_file = read("").unwrap().build().unwrap();
    assert_eq!(format!("{from_file:?}"), format!("{default:?}"));
}

#[tokio::test]
async fn settings_apply_and_sessions_and_notifications_stay_apart() {
    for servers in [
        format!("servers = \"{}\"", shared().address()),
        format!("servers = [\"{}\"]", shared().address()),
    ] {
        let text = format!(
            "{servers}\nprefix = \"shop:\"\nmax_connections = 2\nmax_response_bytes = 1048576\n\
             connect_timeout_ms = 60000\nresponse_timeout_ms = 60000\ndeadline_ms = 60000"
        );
        let (sessions, notifications) = read(&text).unwrap().build_with_notifications().unwrap();
        let id = put(&sessions, &record([("of", "sessions")])).await;
        assert!(notifications.load(&id).await.unwrap().is_none());
        let other = record([("of", "notifications")]);
        assert_eq!(notifications.create(&id, &other, HOUR).await.unwrap(), Creation::Created);
        let found = sessions.load(&id).await.unwrap().unwrap().record;
        assert_eq!(found, record([("of", "sessions")]));
    }
}

#[test]
fn unknown_setting_fails_and_the_error_lists_the_known_ones() {
    let message = read("server = \"localhost\"").unwrap_err();
    assert!(message.contains("unknown field `server`"), "{message}");
    assert!(message.contains("`servers`") && message.contains("`deadline_ms`"), "{message}");
}

#[test]
fn invalid_servers_in_a_file_are_refused() {
    assert!(read("servers = 11211").unwrap_err().contains("a string or a list of strings"));
    for text in ["servers = []", "servers = \"local host\"", "max_connections = 0"] {
        assert_eq!(read(text).unwrap().build().unwrap_err().kind(), ErrorKind::InvalidSetting);
    }
}
