use std::time::{Duration, Instant};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use tokio::task::JoinHandle;

use crate::Time;

use super::script::Failure;

/// Enough to catch every broken store that we could think of. `PROPTEST_CASES` sets more.
const SEQUENCES: u32 = 64;

/// The same sequences in every run, so that a failing test fails again. `PROPTEST_RNG_SEED` sets others.
const SEED: u64 = 1997;

/// Well below the time limit of a case, so that the shortest failure found so far is printed.
const SHRINKING: Duration = Duration::from_secs(30);

/// Runs sequences, each in a world of its own, and panics with the shortest that fails.
pub(crate) async fn explore<S, W, F>(
    time: &Time,
    sequences: S,
    start: impl AsyncFn() -> W,
    run: impl Fn(W, S::Value) -> F,
) where
    S: Strategy,
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let mut runner = TestRunner::new(config());
    let spawn = async |tree: &S::Tree| tokio::spawn(run(start().await, tree.current()));
    let mut left = runner.config().cases;
    while left > 0 {
        // Advancing a manual clock affects all sequences, so only one runs at a time.
        let batch = match time {
            Time::Real => left.min(SEQUENCES),
            Time::Manual(_) => 1,
        };
        left -= batch;
        let mut running = Vec::new();
        for _ in 0..batch {
            let tree = sequences.new_tree(&mut runner).expect("the strategy rejects nothing");
            let outcome = spawn(&tree).await;
            running.push((tree, outcome));
        }
        for (tree, outcome) in running {
            if let Err(failure) = end_of(outcome).await {
                let shortest = shrink(tree, failure, async |tree| end_of(spawn(tree).await).await);
                panic!("{}", shortest.await);
            }
        }
    }
}

/// Simplifies the sequence for as long as it still fails.
async fn shrink<T: ValueTree>(
    mut tree: T,
    mut failure: Failure,
    run: impl AsyncFn(&T) -> Result<(), Failure>,
) -> Failure {
    let deadline = Instant::now() + SHRINKING;
    let mut simpler = tree.simplify();
    while simpler && Instant::now() < deadline {
        simpler = match run(&tree).await {
            Err(simpler) => {
                failure = simpler;
                tree.simplify()
            }
            Ok(()) => tree.complicate(),
        };
    }
    failure
}

async fn end_of(running: JoinHandle<Result<(), Failure>>) -> Result<(), Failure> {
    match running.await {
        Ok(outcome) => outcome,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

fn config() -> Config {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = SEQUENCES;
    }
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(SEED);
    }
    config
}
