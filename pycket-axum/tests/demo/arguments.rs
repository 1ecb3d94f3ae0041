use crate::program::{Demo, start_invalid};

#[test]
fn invalid_arguments_are_an_error_with_the_reason() {
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
        let exit = start_invalid(arguments);
        assert!(!exit.status.success(), "{arguments:?}");
        assert!(exit.stderr.contains(reason), "{arguments:?}: {}", exit.stderr);
        assert!(exit.stderr.starts_with("error: "), "{arguments:?}: {}", exit.stderr);
        assert!(
            !exit.stderr.contains("InvalidSetting"),
            "an error text has no Rust names: {}",
            exit.stderr
        );
    }
}

#[test]
fn error_about_an_invalid_url_hides_its_password() {
    let exit = start_invalid(&["--store", "redis://user:hunter2@[::1"]);
    assert!(!exit.status.success());
    assert!(!exit.stderr.contains("hunter2"), "{}", exit.stderr);
}

#[test]
fn error_about_a_used_address_names_it() {
    let demo = Demo::start(&[]);
    let exit = start_invalid(&["--listen", demo.address()]);
    assert!(!exit.status.success());
    let said = format!("error: --listen {}: Address already in use", demo.address());
    assert!(exit.stderr.starts_with(&said), "{}", exit.stderr);
}
