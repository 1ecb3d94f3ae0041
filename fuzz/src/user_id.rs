//! Two ids of users and a label, one per line.
//!
//! A user that signs in has one session with this label, which is that of no other user.

use pycket_core::{ErrorKind, MemoryStore};

use crate::parts::{manager, run};

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.splitn(3, '\n');
    let mut next = || lines.next().unwrap_or_default();
    let (user, other, label) = (next(), next(), next());
    run(sign_in(user, other, label));
}

async fn sign_in(user: &str, other: &str, label: &str) {
    let manager = manager(MemoryStore::new());
    let session = manager.open(None).await.unwrap();
    let signed_in = session.log_in_labelled(user, label);
    assert_eq!(signed_in.is_ok(), (1..=1024).contains(&user.len()));
    if let Err(error) = signed_in {
        assert_eq!(error.kind(), ErrorKind::InvalidUserId);
        return;
    }
    session.commit().await.unwrap();

    let session = manager.open(session.id()).await.unwrap();
    assert_eq!(session.user_id().as_deref(), Some(user));
    let sessions = manager.user(user).unwrap().sessions().await.unwrap();
    let [listed] = sessions.as_slice() else { panic!("{} sessions", sessions.len()) };
    let stored = listed.label.as_deref().unwrap_or_default();
    assert!(label.starts_with(stored) && stored.len() <= 256);
    assert!(stored.len() == label.len() || stored.len() > 252);

    if other != user
        && let Ok(others) = manager.user(other)
    {
        assert_eq!(others.sessions().await.unwrap().len(), 0);
        assert!(!others.end(&listed.handle).await.unwrap());
    }
    assert_eq!(manager.user(user).unwrap().end_all().await.unwrap(), 1);
    assert!(manager.open(session.id()).await.unwrap().is_new());
}
