//! What a session promises, one sentence a test.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

mod ambiguity;
mod at_random;
mod atomic_update;
mod cancellation;
mod clones;
mod commit;
mod ending;
mod errors;
mod events;
mod every_fault;
mod expiry;
mod frozen_ids;
mod hanging_store;
mod ids;
mod interleavings;
mod late_copies;
mod mapping;
mod notification_races;
mod notifications;
#[path = "../now/mod.rs"]
mod now;
mod presented_ids;
mod reload;
mod remember;
mod rotation;
mod round_trips;
mod unreadable_records;
mod versions;

use std::sync::Arc;

use now::now;
use pycket_core::{MemoryStore, Session, SessionId, SessionManager, SessionStore};

/// A manager with a memory store.
fn manager() -> SessionManager {
    SessionManager::new(MemoryStore::new())
}

fn over(store: Arc<impl SessionStore>) -> SessionManager {
    SessionManager::new(store)
}

/// A stored session that holds `user: "ann"`.
async fn stored(manager: &SessionManager) -> SessionId {
    let session = manager.open(None).await.unwrap();
    session.set("user", "ann").unwrap();
    session.commit().await.unwrap();
    session.id().unwrap()
}

async fn open(manager: &SessionManager, id: SessionId) -> Session {
    manager.open(Some(id)).await.unwrap()
}
