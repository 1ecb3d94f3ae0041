use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use crate::completion::Completion;
use crate::{Event, SessionManager};

use super::state::{Base, State};

/// What all clones of a [`Session`](super::Session) share.
pub(super) struct Shared {
    pub(super) manager: SessionManager,
    state: Mutex<State>,
    /// One permit; see [`CommitLock`](super::commit_lock::CommitLock).
    pub(super) commits: Semaphore,
    /// Whether it only deletes what a dropped session has left. No caller waits for it.
    is_unobserved: bool,
}

impl Shared {
    pub(super) fn new(manager: SessionManager, state: State, is_unobserved: bool) -> Self {
        let commits = Semaphore::const_new(1);
        Self { manager, state: Mutex::new(state), commits, is_unobserved }
    }

    /// No code panics while it holds this lock, so a poisoned state is still consistent.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is dropped or panics before its commit loses its changes, and an event says so. Destroyed
/// sessions are deleted all the same.
impl Drop for Shared {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if state.work.has_change(&state.base) {
            self.manager.emit(Event::ChangesDropped);
        }
        state.work.abandon();
        let deletes = mem::take(&mut state.work.deletes);
        if self.is_unobserved {
            for _ in deletes.iter().filter(|delete| !delete.is_notification()) {
                self.manager.emit(Event::DestroyFailed);
            }
        } else if !deletes.is_empty() {
            let unobserved = |delete| {
                let mut state = State::new(Base::Absent, false, Vec::new());
                state.work.deletes.push(delete);
                Self::new(self.manager.clone(), state, true)
            };
            // One for each record, so that one that cannot be deleted keeps no other.
            let unobserved: Vec<_> = deletes.into_iter().map(unobserved).collect();
            let deleting = async move {
                for shared in unobserved {
                    // An error is reported when it is dropped.
                    let _ = shared.delete_sessions().await;
                    shared.delete_notifications().await;
                }
            };
            // Dropped, so that the runtime spawns it.
            drop(Completion::new(self.manager.runtime(), deleting));
        }
    }
}
