use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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
pub(crate) struct Running<'p> {
    progress: &'p Progress,
    call: usize,
}

impl<'p> Running<'p> {
    pub(crate) fn new(progress: &'p Progress, method: &'static str) -> Self {
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
