//! The cases: functions of a [`Harness`]. Each panics if the driver breaks the clause in its description.
//!
//! [`conformance!`](crate::conformance) makes a test of each. Called directly they can prove that the suite
//! catches a broken store.

pub mod cancellation;
pub mod concurrency;
pub mod errors;
pub mod expectation;
pub mod expiry;
pub mod isolation;
pub mod lifecycle;
pub mod merge;
pub mod model;
pub mod rotation;
pub mod values;
pub mod version;

use crate::Harness;
use crate::run::Boxed;

/// The clause that a case proves: its description, on one line.
pub(crate) fn clause(group: &str, case: &str) -> Option<String> {
    description(source(group)?, case)
}

/// The description of a function in this source, on one line.
pub(crate) fn description(source: &str, function: &str) -> Option<String> {
    let (before, _) = source.split_once(&format!("\npub async fn {function}("))?;
    let mut lines: Vec<_> =
        before.lines().rev().map_while(|line| line.strip_prefix("/// ")).collect();
    lines.reverse();
    Some(lines.join(" "))
}

macro_rules! sources {
    ($($group:ident { $($case:ident)* })*) => {
        fn source(group: &str) -> Option<&'static str> {
            match group {
                $(stringify!($group) => {
                    Some(include_str!(concat!("cases/", stringify!($group), ".rs")))
                })*
                _ => None,
            }
        }
    };
}

crate::for_every_case!(sources);

macro_rules! run {
    ($($group:ident { $($case:ident)* })*) => {
        /// Calls the case of that name.
        pub(crate) async fn run(group: &str, case: &str, harness: &dyn Harness) {
            let run: Boxed<'_, ()> = match (group, case) {
                $($((stringify!($group), stringify!($case)) => Box::pin($group::$case(harness)),)*)*
                _ => panic!("there is no case {group}::{case}"),
            };
            run.await
        }
    };
}

crate::for_every_case!(run);
