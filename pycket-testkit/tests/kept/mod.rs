//! The session in the kept dumps of the drivers, and what each release must still do with it.

use std::time::Duration;

use pycket_core::{Clock, Outcome, SessionId, SessionManager};
use pycket_testkit::ManualClock;

/// A session of the user `ann` that signed in with the label `Firefox`, changed its id once, has an idle timeout of
/// two hours, three values and an unread notification. The dumps hold times of the manual clock.
pub(crate) async fn assert_served(manager: &SessionManager, id: SessionId) {
    let clock = ManualClock::new();
    let manager = manager.to_builder().clock(clock.clone()).build().unwrap();
    let session = manager.open(Some(id)).await.unwrap();
    assert!(!session.is_new(), "the session is not there");
    assert_eq!(session.keys(), ["cart", "count", "name"]);
    assert_eq!(session.require::<String>("name").unwrap(), "Ann");
    assert_eq!(session.require::<u32>("count").unwrap(), 7);
    let cart = session.require::<Vec<(String, Option<u8>)>>("cart").unwrap();
    assert_eq!(cart, [("apple".to_owned(), Some(2)), ("pear".to_owned(), None)]);
    let remaining = session.expires_in().unwrap();
    let two_hours = Duration::from_secs(7200);
    assert!(
        (two_hours / 2..=two_hours + Duration::from_secs(10)).contains(&remaining),
        "{remaining:?}"
    );

    let notifications = session.notifications();
    assert_eq!(notifications.keys(), ["saved"]);
    assert_eq!(
        notifications.get::<String>("saved").await.unwrap().as_deref(),
        Some("Your cart is saved.")
    );
    assert_eq!(notifications.get::<String>("saved").await.unwrap(), None);
    session.set("count", &8).unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
    let changed = manager.open(Some(id)).await.unwrap();
    assert_eq!(changed.require::<u32>("count").unwrap(), 8);
    assert!(changed.notifications().keys().is_empty());

    assert_eq!(changed.user_id().as_deref(), Some("ann"));
    let user = manager.user("ann").unwrap();
    let listed = user.sessions().await.unwrap();
    assert_eq!(listed.len(), 1);
    let listed = listed.first().unwrap();
    assert_eq!(listed.label.as_deref(), Some("Firefox"));
    assert_eq!(listed.signed_in_at, clock.now());
    assert_eq!(user.end_all().await.unwrap(), 1);
    assert!(manager.open(Some(id)).await.unwrap().is_new());
}
