use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pycket_core::{Changes, Creation, Error, Loaded, Record, SessionId, SessionStore, Ttl, Update};
use tokio::sync::RwLock;

use crate::fixtures::Store;
use crate::wrappers::impl_session_store;

/// Each create holds it for reading.
static CREATES: RwLock<()> = RwLock::const_new(());

tokio::task_local! {
    /// The progress of the case that runs.
    pub(crate) static PROGRESS: Arc<Progress>;

    /// Set while this task holds `CREATES`.
    static HAS_TURN: ();
}

/// Runs a case or a part of it while no other case of this process creates a record. A create may remove expired
/// records, which would hide that a driver does not look at their end.
pub(crate) async fn in_quiet<T>(case: impl Future<Output = T>) -> T {
    let _turn = CREATES.write().await;
    HAS_TURN.scope((), case).await
}

/// Makes a call that may create a record. It waits while another case is in quiet.
pub(crate) async fn in_turn<T>(call: impl Future<Output = T>) -> T {
    if HAS_TURN.try_with(|()| ()).is_ok() {
        return call.await;
    }
    let _turn = CREATES.read().await;
    HAS_TURN.scope((), call).await
}

/// A store of a case. It counts the calls, so that a slow case can say how far it came.
#[derive(Debug)]
struct Observed {
    inner: Store,
    progress: Arc<Progress>,
}

pub(crate) fn observed(inner: Store) -> Store {
    let progress = PROGRESS.try_with(Arc::clone).unwrap_or_default();
    Arc::new(Observed { inner, progress })
}

impl Observed {
    async fn around<T>(&self, method: &'static str, call: impl Future<Output = T>) -> T {
        let call = async {
            let _running = Running::new(&self.progress, method);
            call.await
        };
        if method == "create" { in_turn(call).await } else { call.await }
    }
}

impl_session_store!(Observed);

/// The calls of one case.
#[derive(Default)]
pub(crate) struct Progress(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    begun: usize,
    running: BTreeMap<usize, (&'static str, Instant)>,
}

impl Progress {
    /// Why a case has not ended: the call that does not answer, or that it needs more time.
    pub(crate) fn report(&self, elapsed: Duration, slowness: f64) -> String {
        let counts = self.counts();
        let oldest = counts.running.values().min_by_key(|(_, since)| *since);
        if let Some((method, since)) = oldest
            && since.elapsed() > elapsed / 2
        {
            return format!("a call of `{method}` has not answered for {:?}", since.elapsed());
        }
        let done = counts.begun - counts.running.len();
        format!(
            "the case needs more than {elapsed:?}; {done} calls have answered so far. A fixed amount of \
             work takes {slowness:.1} times as long as usual on this machine"
        )
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress(..)")
    }
}

/// A call that runs. A call whose future is dropped has ended, too.
struct Running<'p> {
    progress: &'p Progress,
    call: usize,
}

impl<'p> Running<'p> {
    fn new(progress: &'p Progress, method: &'static str) -> Self {
        let mut counts = progress.counts();
        let call = counts.begun;
        counts.begun += 1;
        counts.running.insert(call, (method, Instant::now()));
        Self { progress, call }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.progress.counts().running.remove(&self.call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_case_says_how_many_calls_have_answered() {
        let progress = Progress::default();
        drop(Running::new(&progress, "load"));
        let _began_just_now = Running::new(&progress, "update");
        let report = progress.report(Duration::from_secs(90), 1.5);
        assert!(report.contains("1 calls have answered so far"), "{report}");
        assert!(report.contains("1.5 times as long as usual"), "{report}");
    }

    #[test]
    fn call_that_does_not_answer_is_named() {
        let progress = Progress::default();
        let _hangs = Running::new(&progress, "update");
        let report = progress.report(Duration::ZERO, 1.0);
        assert!(report.contains("a call of `update` has not answered for"), "{report}");
    }
}
