use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A future that runs to its end even if its caller is dropped.
///
/// The caller polls it, so it costs no task. When the caller is dropped, for example because a client
/// disconnects, the tokio runtime spawns the rest. Without a runtime the rest is dropped.
pub(crate) struct Completion<T: Send + 'static> {
    work: Option<Work<T>>,
    runtime: Option<Handle>,
}

impl<T: Send + 'static> Completion<T> {
    pub(crate) fn new(
        runtime: Option<Handle>,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Self {
        Self { work: Some(Box::pin(work)), runtime }
    }
}

impl<T: Send + 'static> Future for Completion<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // The work is taken out while it is polled, so that `drop` does not spawn work that panicked.
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
