use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::program::{Demo, redis, refuse};

#[test]
fn a_key_file_is_made_once_readable_to_its_owner_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    drop(Demo::start(&["--key-file", path.to_str().unwrap()]));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let key = fs::read(&path).unwrap();
    assert!(key.len() >= 32);
    drop(Demo::start(&["--key-file", path.to_str().unwrap()]));
    assert_eq!(fs::read(&path).unwrap(), key);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left there");
}

#[test]
fn with_a_key_file_and_redis_sessions_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let store = redis().url();
    let arguments = ["--store", &store, "--key-file", path.to_str().unwrap()];
    let before = Demo::start(&arguments);
    let visitor = before.visitor();
    visitor.put("/api/session/user", "\"ann\"").assert_status(204);
    drop(before);
    let after = Demo::start(&arguments);
    assert_eq!(visitor.at(after.url()).data(), json!({ "user": "ann" }));
}

#[test]
fn without_a_key_file_a_restart_signs_everybody_out() {
    let arguments = ["--store", &redis().url()];
    let before = Demo::start(&arguments);
    let visitor = before.visitor();
    visitor.put("/api/session/user", "\"ann\"").assert_status(204);
    drop(before);
    let after = Demo::start(&arguments);
    assert_eq!(visitor.at(after.url()).data(), json!({}));
}

#[test]
fn a_key_file_that_cannot_serve_is_named_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let short = directory.path().join("short");
    fs::write(&short, "too short\n").unwrap();
    let nowhere = directory.path().join("nowhere").join("key");
    let reasons =
        [(&short, "32"), (&nowhere, "No such file"), (&directory.path().to_owned(), "directory")];
    for (path, reason) in reasons {
        let path = path.to_str().unwrap();
        let ended = refuse(&["--key-file", path]);
        assert!(!ended.status.success());
        assert!(ended.stderr.contains(path) && ended.stderr.contains(reason), "{}", ended.stderr);
    }
    assert_eq!(fs::read_to_string(&short).unwrap(), "too short\n");
}
