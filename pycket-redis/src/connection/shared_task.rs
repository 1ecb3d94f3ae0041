use std::sync::Arc;
use std::thread;
use std::time::Duration;

use redis::RedisResult;
use tokio::runtime::{Handle, Id};
use tokio::sync::SetOnce;
use tokio::time::timeout;

use super::{closed, timed_out};

/// Work in a task of its own, whose result any number of callers wait for.
///
/// A caller that is dropped or no longer polled does not stop the work, so it delays no other caller.
pub(crate) struct SharedTask<T> {
    outcome: Arc<Outcome<T>>,
    runtime: Id,
}

/// `None` if the runtime ended before the work did.
type Outcome<T> = SetOnce<Option<RedisResult<T>>>;

struct AbandonOnDrop<T>(Arc<Outcome<T>>);

impl<T: Clone + Send + Sync + 'static> SharedTask<T> {
    pub(crate) fn spawn(
        limit: Duration,
        work: impl Future<Output = RedisResult<T>> + Send + 'static,
    ) -> Self {
        let outcome = Arc::new(SetOnce::new());
        let guard = AbandonOnDrop(Arc::clone(&outcome));
        tokio::spawn(async move {
            let result = timeout(limit, work).await.unwrap_or_else(|_| Err(timed_out()));
            let _ = guard.0.set(Some(result));
        });
        Self { outcome, runtime: Handle::current().id() }
    }

    /// `None` while the work goes on, and if it is abandoned.
    pub(crate) fn result(&self) -> Option<&RedisResult<T>> {
        self.outcome.get()?.as_ref()
    }

    /// Waits for at most `limit`. Fails if the work is abandoned.
    pub(crate) async fn wait(&self, limit: Duration) -> RedisResult<T> {
        match timeout(limit, self.outcome.wait()).await {
            Ok(Some(result)) => result.clone(),
            Ok(None) => Err(closed()),
            Err(_) => Err(timed_out()),
        }
    }

    /// Whether the runtime of the task ended before the work did. A failure in another runtime counts, because the
    /// end of a runtime also makes work fail.
    pub(crate) fn is_abandoned(&self) -> bool {
        match self.outcome.get() {
            None | Some(Some(Ok(_))) => false,
            Some(Some(Err(_))) => self.runtime != Handle::current().id(),
            Some(None) => true,
        }
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.outcome, &other.outcome)
    }
}

impl<T> Clone for SharedTask<T> {
    fn clone(&self) -> Self {
        Self { outcome: Arc::clone(&self.outcome), runtime: self.runtime }
    }
}

impl<T> Drop for AbandonOnDrop<T> {
    fn drop(&mut self) {
        // Has no effect if there is a result. A panic of the work is a failure: repeating it may panic again.
        let _ = self.0.set(thread::panicking().then(|| Err(closed())));
    }
}
