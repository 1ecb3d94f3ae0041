use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Work that is finished even if nobody waits for it any more.
///
/// It runs in its caller's task, at no extra cost, until the caller is dropped (as happens when a client
/// disconnects); then the runtime takes it over. Outside a tokio runtime it ends with its caller.
pub(crate) struct Completion<T: Send + 'static> {
    work: Option<Work<T>>,
    runtime: Option<Handle>,
}

impl<T: Send + 'static> Completion<T> {
    pub(crate) fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self { work: Some(Box::pin(work)), runtime: Handle::try_current().ok() }
    }

    /// Does not wait.
    pub(crate) fn detach(self) {
        drop(self);
    }
}

impl<T: Send + 'static> Future for Completion<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Out of its place while it is polled, so that work that panics is not taken up again.
        let Some(mut work) = self.work.take() else {
            return Poll::Pending;
        };
        let result = work.as_mut().poll(context);
        if result.is_pending() {
            self.work = Some(work);
        }
        result
    }
}

impl<T: Send + 'static> Drop for Completion<T> {
    fn drop(&mut self) {
        if let (Some(work), Some(runtime)) = (self.work.take(), &self.runtime) {
            runtime.spawn(work);
        }
    }
}
