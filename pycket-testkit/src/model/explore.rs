use std::time::{Duration, Instant};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::Time;
use crate::fixtures::all;

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
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let mut runner = TestRunner::new(config());
    let mut remaining = runner.config().cases;
    while remaining > 0 {
        // Advancing a manual clock affects all sequences, so only one runs at a time.
        let batch = match time {
            Time::Real => remaining.min(SEQUENCES),
            Time::Manual(_) => 1,
        };
        remaining -= batch;
        let (mut trees, mut runs) = (Vec::new(), Vec::new());
        for _ in 0..batch {
            let tree = sequences.new_tree(&mut runner).expect("the strategy rejects nothing");
            runs.push(run(start().await, tree.current()));
            trees.push(tree);
        }
        let runs = runs.into_iter().enumerate();
        let results = all(runs.map(|(index, run)| async move { (index, run.await) })).await;
        let failures =
            results.into_iter().filter_map(|(index, result)| Some((index, result.err()?)));
        if let Some((index, failure)) = failures.min_by_key(|(index, _)| *index) {
            let tree = trees.swap_remove(index);
            let run = async |tree: &S::Tree| run(start().await, tree.current()).await;
            panic!("{}", shrink(tree, failure, run).await);
        }
    }
}

/// Simplifies the sequence for as long as it still fails.
async fn shrink<T: ValueTree>(
    mut tree: T,
    mut failure: String,
    run: impl AsyncFn(&T) -> Result<(), String>,
) -> String {
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
