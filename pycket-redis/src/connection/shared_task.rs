use std::time::Duration;

use redis::RedisResult;
use tokio::sync::watch;
use tokio::time::timeout;

use super::{closed, timed_out};

/// Work in a task of its own, whose result any number of callers wait for.
///
/// A caller that is dropped or no longer polled does not stop the work, so it delays no other caller.
pub(crate) struct SharedTask<T>(watch::Receiver<Option<RedisResult<T>>>);

impl<T: Clone + Send + Sync + 'static> SharedTask<T> {
    pub(crate) fn spawn(
        limit: Duration,
        work: impl Future<Output = RedisResult<T>> + Send + 'static,
    ) -> Self {
        let (sender, receiver) = watch::channel(None);
        tokio::spawn(async move {
            let result = timeout(limit, work).await.unwrap_or_else(|_| Err(timed_out()));
            sender.send_replace(Some(result));
        });
        Self(receiver)
    }

    /// `None` while the work goes on.
    pub(crate) fn result(&self) -> Option<RedisResult<T>> {
        self.0.borrow().clone()
    }

    /// Waits for at most `limit`. Fails if the work is abandoned.
    pub(crate) async fn wait(&self, limit: Duration) -> RedisResult<T> {
        let mut receiver = self.0.clone();
        let result = match timeout(limit, receiver.wait_for(Option::is_some)).await {
            Ok(Ok(result)) => result.clone(),
            Ok(Err(_)) => None,
            Err(_) => Some(Err(timed_out())),
        };
        result.unwrap_or_else(|| Err(closed()))
    }

    /// Whether the runtime of the task ended before the work did.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.0.has_changed().is_err() && self.0.borrow().is_none()
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }
}

impl<T> Clone for SharedTask<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
