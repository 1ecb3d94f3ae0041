//! What depends on time or on connections is also caught while all cases run in one table, whose creates remove
//! expired records.

use std::thread;

use pycket_testkit::failing_cases;

use crate::bench::Bench;
use crate::fault::Fault;

#[test]
fn sound_store_passes_all_cases_at_once() {
    assert_eq!(failing_cases(&Bench::shared(None), true), [""; 0]);
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
            let start = |fault: Fault| {
                scope.spawn(move || failing_cases(&Bench::shared(Some(fault)), false))
            };
            let runs = some.iter().map(|(fault, case)| (fault, case, start(*fault)));
            for (fault, case, failing) in runs.collect::<Vec<_>>() {
                let failing = failing.join().unwrap();
                assert!(failing.contains(case), "{fault:?}: {failing:?}");
            }
        });
    }
}
