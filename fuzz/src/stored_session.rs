//! A record that a store returns as a session.
//!
//! Whatever is in it, the session can be used, changes its id, is signed in, and ends.

use pycket_core::{MemoryStore, Outcome, Record, SessionManager, SessionStore, Ttl};

use crate::parts::{Node, StoppedClock, id, manager, run};

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let Ok(record) = Record::decode(bytes) else { return };
    let store = MemoryStore::builder().clock(StoppedClock).build().unwrap();
    run(async {
        let _ = store.create(&id(), &record, Ttl::MAX).await.unwrap();
        use_session(&manager(store), &record).await;
    });
}

async fn use_session(manager: &SessionManager, record: &Record) {
    let session = manager.open(Some(id())).await.unwrap();
    if session.is_new() {
        return;
    }
    let own = record.names().filter(|name| !name.starts_with("\0pycket:"));
    assert!(session.keys().iter().map(String::as_str).eq(own));
    for name in session.keys() {
        assert!(session.contains(&name));
        let _ = session.get::<Node>(&name);
    }
    let notifications = session.notifications();
    assert!(notifications.keys().len() <= record.len());
    assert!(notifications.drain().await.unwrap().is_empty(), "there is no record of one");
    let _ = (session.user_id(), session.handle(), session.cookie_lifetime());
    let _ = (session.expires_in(), session.last_renewed());

    session.set("visits", &7).unwrap();
    session.cycle_id();
    if session.commit().await.unwrap() == Outcome::Ended {
        return;
    }
    assert!(manager.open(Some(id())).await.unwrap().is_new(), "the old id has ended");
    let session = manager.open(session.id()).await.unwrap();
    assert_eq!(session.get::<u8>("visits").unwrap(), Some(7));

    session.log_in("ann").unwrap();
    session.commit().await.unwrap();
    let session = manager.open(session.id()).await.unwrap();
    assert_eq!(session.user_id().as_deref(), Some("ann"));
    session.destroy();
    session.commit().await.unwrap();
    assert!(manager.open(session.id()).await.unwrap().is_new());
}
