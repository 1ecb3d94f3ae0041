use std::thread;
use std::time::Duration;

use tokio::time::timeout;

use crate::{Harness, block_on, cases};

/// Longer than any case takes, so that a case which does not end for a broken store fails.
const LIMIT: Duration = Duration::from_secs(60);

macro_rules! names {
    ($($group:ident { $($case:ident)* })*) => {
        /// The groups and cases, with their names in the result.
        const CASES: &[(&str, &str, &str)] = &[$($((
            stringify!($group),
            stringify!($case),
            concat!(stringify!($group), "::", stringify!($case)),
        )),*),*];
    };
}

crate::for_every_case!(names);

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
    let run = |group, case| {
        let case = cases::run(group, case, harness);
        if is_sound {
            block_on(case);
        } else if group != "model" {
            block_on(async { timeout(LIMIT, case).await.expect("the case ends") });
        }
    };
    thread::scope(|scope| {
        let start = |&(group, case, name)| (name, scope.spawn(move || run(group, case)));
        let running: Vec<_> = CASES.iter().map(start).collect();
        running.into_iter().filter_map(|(name, case)| case.join().err().map(|_| name)).collect()
    })
}
