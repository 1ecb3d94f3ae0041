use crate::program::{Demo, refuse};

#[test]
fn arguments_that_make_no_sense_are_refused_with_the_reason() {
    let cases: [(&[&str], &str); 11] = [
        (&["--store", "postgres://127.0.0.1"], "unknown store; known are `memory`, `redis://"),
        (&["--store", ""], "unknown store"),
        (&["--store", "redis://"], "Redis"),
        (&["--store", "rediss://127.0.0.1#insecure"], "--store: "),
        (&["--store", "redis+cluster://one,two/7"], "--store: a cluster has no databases"),
        (&["--idle", "0"], "more than zero"),
        (&["--idle", "-1"], "-1"),
        (&["--idle", "99999999999"], "ten years"),
        (&["--absolute", "0"], "more than zero"),
        (&["--renew", "never"], "possible values: change, access"),
        (&["--listen", "nowhere"], "--listen"),
    ];
    for (arguments, reason) in cases {
        let ended = refuse(arguments);
        assert!(!ended.status.success(), "{arguments:?}");
        assert!(ended.stderr.contains(reason), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.starts_with("error: "), "{arguments:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains("InvalidSetting"), "for people: {}", ended.stderr);
    }
}

#[test]
fn a_password_in_an_address_that_is_not_valid_is_not_repeated() {
    let ended = refuse(&["--store", "redis://user:hunter2@[::1"]);
    assert!(!ended.status.success());
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let demo = Demo::start(&[]);
    let ended = refuse(&["--listen", demo.address()]);
    assert!(!ended.status.success());
    let said = format!("error: --listen {}: Address already in use", demo.address());
    assert!(ended.stderr.starts_with(&said), "{}", ended.stderr);
}
