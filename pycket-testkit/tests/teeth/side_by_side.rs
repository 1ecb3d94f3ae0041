//! What depends on time or on connections is also caught while all cases run in one table, whose creates remove
//! expired records.

use std::thread;

use pycket_testkit::block_on;

use crate::bench::Bench;
use crate::fault::Fault;

macro_rules! all_cases {
    ($($group:ident { $($case:ident)* })*) => {
        /// Runs all cases at the same time; returns those that fail.
        fn failing_cases(fault: Option<Fault>) -> Vec<&'static str> {
            let bench = Bench::shared(fault);
            thread::scope(|scope| {
                let cases = [$($((
                    concat!(stringify!($group), "::", stringify!($case)),
                    scope.spawn(|| block_on(pycket_testkit::cases::$group::$case(&bench))),
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
    ($($test:ident: $fault:ident, $case:literal;)*) => {
        $(
            #[test]
            fn $test() {
                let failing = failing_cases(Some(Fault::$fault));
                assert!(failing.contains(&$case), "{failing:?}");
            }
        )*
    };
}

caught! {
    only_creates_remove_expired_records:
        OnlyCreatesRemoveExpiredRecords, "expiry::record_has_ended_one_second_after_its_ttl";
    load_leaves_expiry_to_creates:
        LoadLeavesExpiryToCreates, "expiry::record_has_ended_one_second_after_its_ttl";
    update_leaves_expiry_to_creates:
        UpdateLeavesExpiryToCreates, "expiry::record_has_ended_one_second_after_its_ttl";
    delete_leaves_expiry_to_creates:
        DeleteLeavesExpiryToCreates, "expiry::record_has_ended_one_second_after_its_ttl";
    create_keeps_expired_values:
        CreateKeepsExpiredValues, "expiry::create_over_an_expired_record_keeps_nothing";
    create_keeps_expired_metadata:
        CreateKeepsExpiredMetadata, "expiry::create_over_an_expired_record_keeps_nothing";
    conflict_takes_precedence_over_expiry:
        ConflictTakesPrecedenceOverExpiry, "expectation::expired_record_is_ended_and_no_conflict";
    update_looks_at_the_end_before_it_waits:
        UpdateLooksAtTheEndBeforeItWaits, "expiry::update_that_waits_revives_no_ended_record";
    dropped_calls_leave_a_transaction:
        DroppedCallsLeaveATransaction, "cancellation::writes_after_a_dropped_call_reach_every_handle";
}
