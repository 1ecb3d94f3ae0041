use std::thread;
use std::time::Duration;

use tokio::time::timeout;

use crate::{Harness, block_on, cases};

/// Longer than any case takes, so that a case which does not end for a broken store fails.
const LIMIT: Duration = Duration::from_secs(60);

macro_rules! all_cases {
    ($($group:ident { $($case:ident)* })*) => {
        /// Runs all cases at the same time, and returns the names of those that fail.
        ///
        /// For tests that a mistake is caught, beside the suite: break a driver on purpose, and look for the case in the
        /// result. Cases that run at the same time must not hide a mistake from each other. A broken store, one that is
        /// not `is_sound`, may keep a case from ending, so that fails after a minute. Nor does it run the models, because
        /// a model that fails takes half a minute of real time to shorten the sequence.
        ///
        /// # Panics
        ///
        /// If no thread can be started.
        pub fn failing_cases(harness: &dyn Harness, is_sound: bool) -> Vec<&'static str> {
            thread::scope(|scope| {
                let cases = [$($((
                    concat!(stringify!($group), "::", stringify!($case)),
                    scope.spawn(|| {
                        let case = cases::run(stringify!($group), stringify!($case), harness);
                        if is_sound {
                            block_on(case);
                        } else if stringify!($group) != "model" {
                            block_on(async { timeout(LIMIT, case).await.expect("the case ends") });
                        }
                    }),
                )),*),*];
                let failing = cases.into_iter().filter_map(|(case, run)| run.join().err().map(|_| case));
                failing.collect()
            })
        }
    };
}

crate::for_every_case!(all_cases);
