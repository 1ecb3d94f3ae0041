use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::cases;

/// Longer than any case takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Enough that tasks run in parallel even on a machine that reports a single processor.
const WORKERS: usize = 4;

/// Runs `future` to its end on the kit's runtime. For a driver's own tests beside the suite.
///
/// It is one multi-threaded tokio runtime for the whole process, with timers, and with the network if the
/// driver enables tokio's feature `net`. It is never shut down, so a test may use a connection that another
/// test opened.
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
/// If it is called within a runtime, or if no thread can be started.
pub fn block_on<F: Future>(future: F) -> F::Output {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let build = || {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(WORKERS).thread_name("pycket-testkit").enable_all();
        builder.build().expect("threads can be started")
    };
    RUNTIME.get_or_init(build).block_on(future)
}

/// Names a test that a macro emitted, so that its failure can say how to repeat it.
#[derive(Clone, Copy, Debug)]
pub struct TestName {
    /// The crate that is tested.
    pub package: &'static str,
    /// The full path of the module of the test.
    pub module: &'static str,
    /// The module of the case.
    pub group: &'static str,
    /// The name of the case.
    pub case: &'static str,
}

/// Runs one case. If it panics, prints which clause of the contract is broken and how to repeat the test.
pub fn run_case(test: TestName, case: impl Future<Output = ()>) {
    let clause = cases::clause(test.group, test.case).unwrap_or_default();
    let message = format!("broken clause of the contract of `SessionStore`:\n  {clause}");
    let case = async {
        if timeout(LIMIT, case).await.is_err() {
            panic!("the case did not end within {LIMIT:?}: a call of the store never returns");
        }
    };
    explain_panic(test, &message, || block_on(case));
}

/// If the test panics, prints the message and how to repeat the test.
pub(crate) fn explain_panic(test: TestName, message: &str, run: impl FnOnce()) {
    let Err(panic) = catch_unwind(AssertUnwindSafe(run)) else { return };
    let TestName { package, module, case, .. } = test;
    let test = match module.split_once("::") {
        Some((_crate, module)) => format!("{module}::{case}"),
        None => case.to_owned(),
    };
    eprintln!("\n{message}\nrepeat it with:\n  cargo test -p {package} -- --exact {test}\n");
    resume_unwind(panic);
}
