use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::{cases, faults};

/// Longer than any case takes on a busy machine; what takes longer hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// Enough that tasks truly run side by side, even on a machine that reports a single processor.
const WORKERS: usize = 4;

/// Runs `future` to its end on the kit's runtime, for a driver's own tests beside the suite.
///
/// It is one multi-threaded tokio runtime for the whole process, with timers and the network enabled,
/// and it is never shut down: a connection that one test opened may be used by the next.
///
/// ```
/// use pycket_core::{MemoryStore, SessionId, SessionStore};
///
/// let loaded = pycket_testkit::block_on(async {
///     MemoryStore::new().load(&SessionId::generate()).await
/// });
/// assert_eq!(loaded?, None);
/// # Ok::<(), pycket_core::Error>(())
/// ```
///
/// # Panics
///
/// If it is called from within a runtime, or if no thread can be started.
pub fn block_on<F: Future>(future: F) -> F::Output {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            Builder::new_multi_thread()
                .worker_threads(WORKERS)
                .thread_name("pycket-testkit")
                .enable_all()
                .build()
                .expect("the machine lets a test start threads")
        })
        .block_on(future)
}

/// Where a case was called from, so that its failure can say how to repeat it.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The crate that is tested.
    pub package: &'static str,
    /// The full path of the module of the test.
    pub module: &'static str,
    /// The module of the case.
    pub group: &'static str,
    /// The name of the case.
    pub case: &'static str,
}

/// Runs one case; if it panics, says which clause of the contract is broken and how to repeat it.
pub fn run_case(place: Place, case: impl Future<Output = ()>) {
    let clause = cases::clause(place.group, place.case).unwrap_or_default();
    let contract = "broken clause of the contract of `SessionStore`";
    let _report = Report { place, sentence: format!("{contract}:\n  {clause}") };
    block_on(async {
        if timeout(LIMIT, case).await.is_err() {
            panic!("the case did not end within {LIMIT:?}: a call to the store never answers");
        }
    });
}

/// Runs an operation that a fault of the network strikes; if it panics, says which and how to repeat it.
///
/// In a runtime of its own, because a test that pauses the clock must be alone with it.
pub fn run_fault(place: Place, trial: impl Future<Output = ()>) {
    let fault = faults::description(place.case).unwrap_or_default();
    let sentence = format!("`{}` does not survive this fault:\n  {fault}", place.group);
    let _report = Report { place, sentence };
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("the machine lets a test wait for sockets").block_on(trial);
}

struct Report {
    place: Place,
    sentence: String,
}

impl Drop for Report {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let Place { package, module, case, .. } = self.place;
        let test = match module.split_once("::") {
            Some((_crate, module)) => format!("{module}::{case}"),
            None => case.to_owned(),
        };
        eprintln!(
            "\n{}\nrepeat it with:\n  cargo test -p {package} -- --exact {test}\n",
            self.sentence
        );
    }
}
