//! The suite has teeth: every case catches a broken store that is plausible, and a sound store passes all.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a panic is a failure"
)]

mod bench;
mod distortion;
mod fault;
mod messages;
mod outage;
mod printed;
mod side_by_side;
mod store;
mod table;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bench::Bench;
use fault::Fault;
use pycket_testkit::block_on;

mod sound {
    use super::Bench;
    pycket_testkit::conformance!(Bench::new(None));
}

mod sound_in_real_time {
    use super::Bench;
    pycket_testkit::conformance!(Bench::in_real_time(None));
}

macro_rules! teeth {
    ($($group:ident { $($case:ident: $($fault:ident)+;)* })*) => {
        $(mod $group {
            use super::*;
            $(
                #[test]
                fn $case() {
                    for fault in [$(Fault::$fault),+] {
                        let bench = Bench::new(Some(fault));
                        let case = pycket_testkit::cases::$group::$case(&bench);
                        assert!(is_caught(case), "not caught: {fault:?}");
                    }
                }
            )*
        })*

        const CATCHING: &[(&str, &str)] = &[$($((stringify!($group), stringify!($case))),*),*];
    };
}

teeth! {
    lifecycle {
        load_of_an_unknown_id_returns_nothing: AbsentIsEmpty;
        load_returns_the_whole_created_record: GrantedTtlIsLost;
        create_never_overwrites: CreateOverwrites CreateRenewsTheLiveRecord;
        update_never_creates: UpdateCreates;
        delete_returns_the_removed_record:
            DeleteReturnsNothing DeleteReturnsWhatWasCreated GrantedTtlIsLost;
        delete_of_an_absent_record_returns_nothing: DeleteReturnsAnAbsentRecord;
        only_create_revives_a_deleted_id: TouchRevives UpdateCreates;
        record_stays_live_without_values: RecordsWithoutValuesVanish;
        deleted_records_leave_nothing_behind: DeletedRecordsStay;
    }
    values {
        values_keep_every_byte: ValuesAreText;
        large_value_is_stored: ValuesAreCutAt64K;
        too_large_value_leaves_the_record_unchanged: TooLargeDeletes ValuesAreCutAt64K;
        thousands_of_names_are_stored: OnlyAThousandNamesAreStored;
        hostile_names_are_stored: NamesEndAtNul;
        names_like_metadata_are_stored: ReservedNamesVanish;
        similar_names_stay_distinct: NamesAreLowerCase;
        record_without_values_is_stored: EmptyRecordsAreNotStored;
        metadata_are_stored_exactly: TimesAreFloats GrantedTtlIsLost;
    }
    expiry {
        record_is_live_until_its_ttl_passes: TtlsAreRoundedDown;
        record_has_ended_one_second_after_its_ttl:
            TtlsAreTooLong WritersIgnoreExpiry OnlyCreatesRemoveExpiredRecords LoadLeavesExpiryToCreates
            UpdateLeavesExpiryToCreates DeleteLeavesExpiryToCreates;
        one_millisecond_is_a_valid_ttl: ShortTtlsAreRefused TtlsAreTooLong;
        ttl_over_thirty_days_is_not_a_date: LongTtlsAreDates;
        expires_in_is_the_remaining_time: ExpiresInIsTheWholeTtl;
        load_does_not_renew_the_ttl: LoadRenewsTheTtl;
        update_without_ttl_keeps_the_remaining_time: UpdateRestartsTheTtl UpdateRemovesTheTtl;
        touch_changes_only_the_ttl: TouchOnlyLengthens;
        update_with_ttl_sets_the_new_ttl: TtlIsIgnoredWithChanges;
        recreated_record_has_its_own_ttl: OldTtlsEndNewRecords;
        create_over_an_expired_record_keeps_nothing:
            CreateKeepsExpiredValues CreateKeepsExpiredMetadata;
        update_that_waits_revives_no_ended_record: UpdateLooksAtTheEndBeforeItWaits;
    }
    merge {
        unmentioned_names_keep_their_values: UpdateReplacesTheRecord;
        set_replaces_the_whole_value: SetKeepsTheOldValue;
        remove_deletes_only_the_named_values: RemovalMatchesPrefixes NamesArePatterns;
        one_update_sets_and_removes: SetsSuppressRemovals;
        remove_of_a_missing_name_is_no_error: RemovalOfAMissingNameIsRefused;
        removed_name_can_be_set_again: RemovedNamesAreLost;
        empty_update_of_a_live_record_is_applied: EmptyUpdateReturnsEnded;
        metadata_change_only_when_given: MetadataAreAlwaysReplaced;
    }
    expectation {
        update_with_a_met_expectation_is_applied: ExpectationsAreNeverMet;
        unexpected_value_is_a_conflict: ExpectationsAreIgnored;
        absence_of_a_name_can_be_expected:
            ExpectationsOfMissingNamesAreIgnored NamesArePatterns;
        conflict_changes_nothing: ConflictAppliesTheChanges ConflictRenewsTheTtl;
        every_expectation_must_hold: OnlyOneExpectationCounts;
        ended_takes_precedence_over_conflict: ConflictTakesPrecedenceOverEnded;
        expired_record_is_ended_and_no_conflict: ConflictTakesPrecedenceOverExpiry;
        unchanged_name_can_be_expected: ExpectationsOfUnchangedNamesAreIgnored;
        touch_checks_expectations: ExpectationsOfTouchesAreIgnored;
        expectations_compare_every_byte: ExpectationsCompareLengths;
    }
    version {
        update_after_a_load_is_applied: VersionsAreUsedUp;
        writes_of_others_after_the_load_stay: VersionsAreNotCompared;
        expectations_compare_the_stored_values:
            VersionsDecideExpectations VersionsMeetEveryExpectation;
        deleted_record_does_not_come_back: VersionsReviveDeletedRecords VersionsStartAgain;
        ended_record_does_not_come_back: VersionsIgnoreTheEnd;
    }
    rotation {
        delete_of_the_old_id_returns_late_writes: DeleteReturnsWhatWasCreated;
        update_under_the_old_id_returns_ended: UpdateCreates TouchRevives;
        rotation_loses_no_applied_write: DeleteReadsThenRemoves;
    }
    concurrency {
        one_of_many_creates_succeeds: CreateChecksThenWrites;
        concurrent_updates_of_different_names_survive: UpdateWritesTheWholeRecord;
        touch_undoes_no_concurrent_update: TouchWritesTheWholeRecord;
        compare_and_swap_counts_every_increment: ExpectationsAreCheckedFirst;
        one_of_many_deletes_returns_the_record: DeleteReadsThenRemoves;
        load_never_sees_half_an_update: UpdateTakesTwoSteps;
        update_during_a_delete_revives_nothing: UpdateWritesTheWholeRecord;
    }
    cancellation {
        dropped_create_is_atomic: CreateTakesTwoSteps;
        dropped_update_is_atomic: UpdateTakesTwoSteps;
        dropped_delete_is_atomic: DeleteTakesTwoSteps;
        calls_after_a_dropped_call_get_their_own_answers: AnswersGoToTheNextCall;
        dropped_call_disturbs_no_other_caller: AnswersGoToTheNextCall;
        writes_after_a_dropped_call_reach_every_handle: DroppedCallsLeaveATransaction;
    }
    isolation {
        handles_of_one_namespace_share_records: HandlesShareNothing;
        namespaces_share_no_records: KeysLackTheNamespace;
        similar_ids_share_no_records: KeysAreCutShort;
    }
    errors {
        unreachable_store_is_unavailable: OutageIsRejected NetworkIsNotDeclared;
        error_keeps_its_source: ErrorsHaveNoSource ErrorsRepeatTheSource NetworkIsNotDeclared;
        error_shows_no_id_and_no_value:
            ErrorsShowTheId SourcesShowTheId ErrorsShowValues NetworkIsNotDeclared;
        refused_call_shows_no_id_and_no_value: RefusalsShowTheId RefusalsAreAmbiguous;
        corrupt_record_is_reported_until_it_is_deleted:
            CorruptRecordsCannotBeDeleted CorruptRecordsAreEmpty;
    }
    model {
        calls_agree_with_the_model:
            AbsentIsEmpty CreateOverwrites CreateRenewsTheLiveRecord EmptyRecordsAreNotStored
            OldTtlsEndNewRecords LoadRenewsTheTtl ExpiresInIsTheWholeTtl UpdateCreates UpdateReplacesTheRecord
            UpdateRestartsTheTtl UpdateRemovesTheTtl SetKeepsTheOldValue SetsSuppressRemovals
            RemovalOfAMissingNameIsRefused RemovedNamesAreLost RecordsWithoutValuesVanish EmptyUpdateReturnsEnded
            MetadataAreAlwaysReplaced TtlIsIgnoredWithChanges TouchRevives TouchOnlyLengthens
            ExpectationsAreIgnored ExpectationsAreNeverMet ExpectationsOfMissingNamesAreIgnored
            ExpectationsOfTouchesAreIgnored OnlyOneExpectationCounts ConflictTakesPrecedenceOverEnded
            ConflictAppliesTheChanges ConflictRenewsTheTtl DeleteReturnsNothing DeleteReturnsWhatWasCreated
            DeleteReturnsAnAbsentRecord LongTtlsAreDates HandlesShareNothing;
        requests_agree_with_the_model:
            UpdateCreates UpdateReplacesTheRecord
            SetKeepsTheOldValue SetsSuppressRemovals RemovedNamesAreLost RecordsWithoutValuesVanish
            ExpectationsAreIgnored
            ExpectationsAreNeverMet DeleteReturnsNothing DeleteReturnsWhatWasCreated
            DeleteReturnsAnAbsentRecord;
    }
}

/// The same cases catch the same faults without a manual clock.
mod in_real_time {
    use super::*;
    use pycket_testkit::cases::expiry;

    #[test]
    fn record_is_live_until_its_ttl_passes() {
        let bench = Bench::in_real_time(Some(Fault::TtlsAreRoundedDown));
        assert!(is_caught(expiry::record_is_live_until_its_ttl_passes(&bench)));
    }

    #[test]
    fn record_has_ended_one_second_after_its_ttl() {
        let bench = Bench::in_real_time(Some(Fault::TtlsAreTooLong));
        assert!(is_caught(expiry::record_has_ended_one_second_after_its_ttl(&bench)));
    }

    #[test]
    fn ttl_over_thirty_days_is_not_a_date() {
        let bench = Bench::in_real_time(Some(Fault::LongTtlsAreDates));
        assert!(is_caught(expiry::ttl_over_thirty_days_is_not_a_date(&bench)));
    }

    #[test]
    fn expires_in_is_the_remaining_time() {
        let bench = Bench::in_real_time(Some(Fault::ExpiresInIsTheWholeTtl));
        assert!(is_caught(expiry::expires_in_is_the_remaining_time(&bench)));
    }

    #[test]
    fn load_does_not_renew_the_ttl() {
        let bench = Bench::in_real_time(Some(Fault::LoadRenewsTheTtl));
        assert!(is_caught(expiry::load_does_not_renew_the_ttl(&bench)));
    }

    #[test]
    fn update_without_ttl_keeps_the_remaining_time() {
        let bench = Bench::in_real_time(Some(Fault::UpdateRestartsTheTtl));
        assert!(is_caught(expiry::update_without_ttl_keeps_the_remaining_time(&bench)));
    }

    #[test]
    fn touch_changes_only_the_ttl() {
        let bench = Bench::in_real_time(Some(Fault::TouchOnlyLengthens));
        assert!(is_caught(expiry::touch_changes_only_the_ttl(&bench)));
    }

    #[test]
    fn recreated_record_has_its_own_ttl() {
        let bench = Bench::in_real_time(Some(Fault::OldTtlsEndNewRecords));
        assert!(is_caught(expiry::recreated_record_has_its_own_ttl(&bench)));
    }
}

macro_rules! registered {
    ($($group:ident { $($case:ident)* })*) => {
        &[$($((stringify!($group), stringify!($case))),*),*]
    };
}

#[test]
fn every_case_has_teeth() {
    let registered: &[(&str, &str)] = pycket_testkit::for_every_case!(registered);
    assert_eq!(CATCHING, registered);
}

fn is_caught(case: impl Future<Output = ()>) -> bool {
    catch_unwind(AssertUnwindSafe(|| block_on(case))).is_err()
}
