//! What depends on time or on connections is also caught while all cases run in one table, whose creates remove
//! expired records.

use std::thread;
use std::time::Duration;

use pycket_testkit::block_on;
use tokio::time::timeout;

use crate::bench::Bench;
use crate::fault::Fault;

/// A case that does not end for a broken store has failed, too.
async fn to_its_end(case: impl Future<Output = ()>, is_sound: bool) {
    if is_sound {
        case.await;
    } else {
        timeout(Duration::from_secs(60), case).await.unwrap();
    }
}

macro_rules! all_cases {
    ($($group:ident { $($case:ident)* })*) => {
        /// Runs all cases at the same time; returns those that fail.
        fn failing_cases(fault: Option<Fault>) -> Vec<&'static str> {
            let bench = Bench::shared(fault);
            thread::scope(|scope| {
                let cases = [$($((
                    concat!(stringify!($group), "::", stringify!($case)),
                    scope.spawn(|| {
                        // A model that fails takes half a minute of real time to shorten the sequence.
                        if fault.is_none() || stringify!($group) != "model" {
                            let case = pycket_testkit::cases::$group::$case(&bench);
                            block_on(to_its_end(case, fault.is_none()));
                        }
                    }),
                )),*),*];
                let failing = cases.into_iter().filter_map(|(case, run)| run.join().err().map(|_| case));
                failing.collect()
            })
        }
    };
}

pycket_testkit::for_every_case!(all_cases);

#[test]
fn sound_store_passes_all_cases_at_once() {
    assert_eq!(failing_cases(None), [""; 0]);
}

macro_rules! caught {
    ($($fault:ident: $case:literal;)*) => {
        const CAUGHT: &[(Fault, &str)] = &[$((Fault::$fault, $case)),*];
    };
}

caught! {
    LoadLeavesExpiryToCreates: "expiry::record_has_ended_one_second_after_its_ttl";
    UpdateLeavesExpiryToCreates: "expiry::record_has_ended_one_second_after_its_ttl";
    DeleteLeavesExpiryToCreates: "expiry::record_has_ended_one_second_after_its_ttl";
    CreateKeepsExpiredValues: "expiry::create_over_an_expired_record_keeps_nothing";
    CreateKeepsExpiredMetadata: "expiry::create_over_an_expired_record_keeps_nothing";
    ConflictTakesPrecedenceOverExpiry: "expectation::expired_record_is_ended_and_no_conflict";
    UpdateLooksAtTheEndBeforeItWaits: "expiry::update_that_waits_revives_no_ended_record";
    DroppedCallsLeaveATransaction: "cancellation::writes_after_a_dropped_call_reach_every_handle";
}

#[test]
fn broken_stores_are_caught_among_all_cases() {
    for some in CAUGHT.chunks(4) {
        thread::scope(|scope| {
            let start = |fault: Fault| scope.spawn(move || failing_cases(Some(fault)));
            let runs = some.iter().map(|(fault, case)| (fault, case, start(*fault)));
            for (fault, case, failing) in runs.collect::<Vec<_>>() {
                let failing = failing.join().unwrap();
                assert!(failing.contains(case), "{fault:?}: {failing:?}");
            }
        });
    }
}
