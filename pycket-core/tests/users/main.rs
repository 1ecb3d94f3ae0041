//! What the sessions of a user promise, one sentence a test.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

mod acts;
mod at_random;
mod ending;
mod events;
mod every_fault;
mod format;
mod index;
mod interleavings;
mod leftovers;
mod limit;
mod listing;
mod lost_replies;
mod names;
#[path = "../now/mod.rs"]
mod now;
mod other_user;
mod promises;
mod round_trips;
mod sign_in;
mod size;
mod watched;
mod world;

use std::sync::Arc;
use std::time::Duration;

use pycket_core::{
    Clock, Expiry, MemoryStore, Session, SessionId, SessionManager, SessionManagerBuilder,
    SessionStore, UserSessionHandle,
};
use pycket_testkit::ManualClock;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn manager() -> SessionManager {
    SessionManager::new(MemoryStore::new())
}

fn over(store: Arc<impl SessionStore>) -> SessionManager {
    SessionManager::new(store)
}

/// A manager and its store, over a clock that the test moves.
fn at(clock: &ManualClock) -> (Arc<MemoryStore>, SessionManagerBuilder) {
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let store = Arc::new(MemoryStore::builder().clock(clock.clone()).build().unwrap());
    let builder = over(store.clone()).to_builder().clock(clock);
    (store, builder.expiry(Expiry::builder().idle_timeout(DAY).build().unwrap()))
}

/// A session of this user, signed in and stored.
async fn signed_in(manager: &SessionManager, user_id: &str) -> Session {
    let session = manager.open(None).await.unwrap();
    session.log_in(user_id).unwrap();
    session.commit().await.unwrap();
    session
}

async fn open(manager: &SessionManager, id: Option<SessionId>) -> Session {
    assert!(id.is_some());
    manager.open(id).await.unwrap()
}

async fn is_live(manager: &SessionManager, session: &Session) -> bool {
    !open(manager, session.id()).await.is_new()
}

/// The handles of the sessions that a user has, the newest sign-in first.
async fn handles(manager: &SessionManager, user_id: &str) -> Vec<UserSessionHandle> {
    let sessions = manager.user(user_id).unwrap().sessions().await.unwrap();
    sessions.into_iter().map(|session| session.handle).collect()
}
