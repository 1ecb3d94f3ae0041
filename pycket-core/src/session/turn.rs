use std::ops::Deref;

use super::Shared;

/// The right to write to the store, so that one request's writes follow each other. Whoever waits for it
/// gets it in the order of arrival; it passes on when this is dropped.
pub(super) struct Turn<S: Deref<Target = Shared>>(S);

impl<S: Deref<Target = Shared>> Turn<S> {
    pub(super) async fn wait(shared: S) -> Self {
        // Nobody closes it.
        if let Ok(permit) = shared.turns.acquire().await {
            permit.forget();
        }
        Self(shared)
    }

    /// If nobody has it.
    pub(super) fn at_once(shared: S) -> Option<Self> {
        shared.turns.try_acquire().ok()?.forget();
        Some(Self(shared))
    }
}

impl<S: Deref<Target = Shared>> Drop for Turn<S> {
    fn drop(&mut self) {
        self.0.turns.add_permits(1);
    }
}
