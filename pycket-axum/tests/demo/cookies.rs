//! Forged and invalid cookies.

use serde_json::json;

use crate::program::{Demo, one_of_each_store};

#[test]
fn cookie_that_the_demo_did_not_sign_gives_a_new_session() {
    // Each start of the demo generates a key of its own.
    let other = Demo::start(&[]);
    let attacker = other.client();
    attacker.put("/api/session/user", "\"eve\"").assert_status(204);
    for demo in one_of_each_store() {
        let owner = demo.client();
        owner.put("/api/session/user", "\"ann\"").assert_status(204);
        let good = owner.cookie().unwrap();
        let foreign = attacker.cookie().unwrap();
        let (_, foreign_id) = foreign.split_at(foreign.len() - 36);
        let transplanted = format!("{}{foreign_id}", &good[..good.len() - 36]);
        let forgeries = [
            "PYCKET_ID=".to_owned(),
            "PYCKET_ID=invalid".to_owned(),
            format!("PYCKET_ID={}", &good[good.len() - 36..]),
            good[..good.len() - 1].to_owned(),
            format!("{good}0"),
            format!("PYCKET_ID={}", "A".repeat(60_000)),
            foreign,
            transplanted,
        ];
        for forged in forgeries {
            let forger = demo.client().with_cookie(Some(forged.clone()));
            let read = forger.get("/api/session");
            assert_eq!((read.status, &read.json()["new"]), (200, &json!(true)), "{forged}");
            assert!(read.set_cookie().is_none(), "{forged}");
            forger.put("/api/session/mine", "1").assert_status(204);
            assert_ne!(forger.cookie(), Some(forged));
            assert_eq!(forger.data(), json!({ "mine": 1 }));
        }
        assert_eq!(owner.data(), json!({ "user": "ann" }));
    }
}

#[test]
fn invalid_cookie_beside_the_authentic_one_is_ignored() {
    for demo in one_of_each_store() {
        let owner = demo.client();
        owner.put("/api/session/user", "\"ann\"").assert_status(204);
        let good = owner.cookie().unwrap();
        for cookies in [
            format!("PYCKET_ID=invalid; {good}"),
            format!("{good}; PYCKET_ID=invalid"),
            format!("theme=dark; PYCKET_ID=\"; {good}; a"),
        ] {
            let client = demo.client().with_cookie(Some(cookies));
            assert_eq!(client.data(), json!({ "user": "ann" }));
        }
    }
}
