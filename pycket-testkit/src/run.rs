use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::observed::PROGRESS;
use crate::progress::Progress;
use crate::{Harness, cases};

pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Longer than any case takes on a usual machine. A slow or busy machine gets more.
const LIMIT: Duration = Duration::from_secs(60);

/// How often the limit is compared with the time, and the machine's speed is measured.
const INTERVAL: Duration = Duration::from_secs(5);

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
    // Boxed, so that this is compiled once, and not for every test.
    let future: Boxed<'_, F::Output> = Box::pin(future);
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
pub fn run_case(test: TestName, harness: impl Future<Output = Box<dyn Harness>>) {
    let clause = cases::clause(test.group, test.case).unwrap_or_default();
    let message = format!("broken clause of the contract of `SessionStore`:\n  {clause}");
    let harness: Boxed<'_, Box<dyn Harness>> = Box::pin(harness);
    explain_panic(test, &message, || block_on(within_limit(test, harness)));
}

async fn within_limit(test: TestName, harness: Boxed<'_, Box<dyn Harness>>) {
    let progress = Arc::<Progress>::default();
    let case = async {
        let harness = harness.await;
        cases::run(test.group, test.case, &*harness).await;
    };
    let mut case = pin!(PROGRESS.scope(progress.clone(), case));
    let (started, mut slowest) = (Instant::now(), 1.0_f64);
    while timeout(INTERVAL, &mut case).await.is_err() {
        slowest = slowest.max(slowness());
        let elapsed = started.elapsed();
        if elapsed > LIMIT.mul_f64(slowest) {
            panic!("{}", progress.report(elapsed, slowest));
        }
    }
}

/// How many times longer than usual a fixed amount of work takes at this moment. Copying memory takes the same
/// time in an optimized build and in any other.
fn slowness() -> f64 {
    const USUAL: Duration = Duration::from_millis(20);
    let started = Instant::now();
    let mut target = vec![0_u8; 1 << 20];
    for round in 0..64 {
        let source = black_box(vec![round; 1 << 20]);
        target.copy_from_slice(&source);
        black_box(&mut target);
    }
    started.elapsed().as_secs_f64() / USUAL.as_secs_f64()
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
