use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::program::{Demo, redis, start_invalid};

#[test]
fn key_file_is_created_once_and_readable_by_its_owner_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    drop(Demo::start(&["--key-file", path.to_str().unwrap()]));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let key = fs::read(&path).unwrap();
    assert!(key.len() >= 32);
    drop(Demo::start(&["--key-file", path.to_str().unwrap()]));
    assert_eq!(fs::read(&path).unwrap(), key);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no other file is left");
}

#[test]
fn sessions_in_redis_survive_a_restart_with_a_key_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let store = redis().url();
    let arguments = ["--store", &store, "--key-file", path.to_str().unwrap()];
    let before = Demo::start(&arguments);
    let client = before.client();
    client.put("/api/session/user", "\"ann\"").assert_status(204);
    drop(before);
    let after = Demo::start(&arguments);
    assert_eq!(client.at(after.url()).data(), json!({ "user": "ann" }));
}

#[test]
fn restart_without_a_key_file_signs_all_users_out() {
    let arguments = ["--store", &redis().url()];
    let before = Demo::start(&arguments);
    let client = before.client();
    client.put("/api/session/user", "\"ann\"").assert_status(204);
    drop(before);
    let after = Demo::start(&arguments);
    assert_eq!(client.at(after.url()).data(), json!({}));
}

#[test]
fn unusable_key_file_is_an_error_with_path_and_reason() {
    let directory = tempfile::tempdir().unwrap();
    let short = directory.path().join("short");
    fs::write(&short, "too short\n").unwrap();
    let missing = directory.path().join("missing").join("key");
    let reasons =
        [(&short, "32"), (&missing, "No such file"), (&directory.path().to_owned(), "directory")];
    for (path, reason) in reasons {
        let path = path.to_str().unwrap();
        let exit = start_invalid(&["--key-file", path]);
        assert!(!exit.status.success());
        assert!(exit.stderr.contains(path) && exit.stderr.contains(reason), "{}", exit.stderr);
    }
    assert_eq!(fs::read_to_string(&short).unwrap(), "too short\n");
}
