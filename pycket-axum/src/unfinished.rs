//! Detects that a response stands in for a handler that did not finish.
//!
//! A handler drops its extractors before it returns. So it did not finish if an extractor is dropped together
//! with the future of the inner service after that returned a response, or by a panic while it is polled.

use std::cell::Cell;

use crate::SessionHandle;
use crate::handle::SlotAddress;

thread_local! {
    /// The layer whose inner future this thread polls or drops.
    static CURRENT: Cell<Option<(SlotAddress, Phase)>> = const { Cell::new(None) };
}

#[derive(Clone, Copy)]
pub(crate) enum Phase {
    Polling,
    /// The inner future returned a response, and is dropped.
    Dropping,
}

/// Does `work` on the inner future of the layer to which the handle belongs.
pub(crate) fn with_inner<T>(handle: &SessionHandle, phase: Phase, work: impl FnOnce() -> T) -> T {
    /// Also if `work` panics.
    struct Restore(Option<(SlotAddress, Phase)>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }
    let _restore = Restore(CURRENT.replace(Some((handle.address(), phase))));
    work()
}

/// A part of every extractor.
#[derive(Clone)]
pub(crate) struct Extracted(pub(crate) SessionHandle);

impl Drop for Extracted {
    fn drop(&mut self) {
        let Some((current, phase)) = CURRENT.get() else { return };
        let is_unfinished = match phase {
            Phase::Polling => std::thread::panicking(),
            Phase::Dropping => true,
        };
        // What is dropped may belong to another request.
        if is_unfinished && self.0.layers().any(|handle| handle.address() == current) {
            self.0.layers().for_each(SessionHandle::set_unfinished);
        }
    }
}
