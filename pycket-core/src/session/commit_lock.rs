use std::ops::Deref;

use super::Shared;

/// The lock that serializes the store calls of one session.
///
/// Tasks get it in the order in which they asked for it. Dropping it passes it on.
pub(super) struct CommitLock<S: Deref<Target = Shared>>(S);

impl CommitLock<&Shared> {
    /// Whether a task has the lock at this moment.
    pub(super) fn is_held(shared: &Shared) -> bool {
        shared.commits.available_permits() == 0
    }
}

impl<S: Deref<Target = Shared>> CommitLock<S> {
    pub(super) async fn acquire(shared: S) -> Self {
        // The semaphore is never closed.
        if let Ok(permit) = shared.commits.acquire().await {
            permit.forget();
        }
        Self(shared)
    }

    /// The lock if no other task has it.
    pub(super) fn try_acquire(shared: S) -> Option<Self> {
        shared.commits.try_acquire().ok()?.forget();
        Some(Self(shared))
    }
}

impl<S: Deref<Target = Shared>> Drop for CommitLock<S> {
    fn drop(&mut self) {
        self.0.commits.add_permits(1);
    }
}
