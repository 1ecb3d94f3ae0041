//! The suite has teeth: for every case there is a plausible store that it finds out, and no case finds
//! fault with a sound one.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a panic is a failure"
)]

mod bench;
mod distortion;
mod fault;
mod outage;
mod printed;
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
                        assert!(is_caught(case), "nobody noticed that {fault:?}");
                    }
                }
            )*
        })*

        const BITING: &[(&str, &str)] = &[$($((stringify!($group), stringify!($case))),*),*];
    };
}

teeth! {
    lifecycle {
        what_was_never_created_is_absent: AbsentIsEmpty;
        a_created_record_is_loaded_whole: LifetimeIsForgotten;
        create_never_overwrites: CreateOverwrites CreateRenewsWhatIsTaken;
        update_never_creates: UpdateCreates;
        delete_returns_what_it_removed:
            DeleteReturnsNothing DeleteReturnsWhatWasCreated LifetimeIsForgotten;
        deleting_what_is_absent_finds_nothing: DeleteFindsTheAbsent;
        nothing_but_create_revives_a_deleted_id: TouchRevives UpdateCreates;
        an_emptied_record_is_still_live: EmptiedRecordsVanish;
    }
    values {
        every_byte_comes_back: ValuesAreText;
        a_large_value_comes_back: ValuesEndAt64K;
        what_is_too_large_leaves_the_record_alone: TooLargeDeletes ValuesEndAt64K;
        thousands_of_names_come_back: NamesStopAtAThousand;
        hostile_names_come_back: NamesEndAtNul;
        names_like_metadata_come_back: NamesOfItsOwnVanish;
        similar_names_are_different: NamesAreLowerCase;
        a_record_without_values_comes_back: EmptyRecordsAreNotStored;
        metadata_come_back: TimesAreFloats LifetimeIsForgotten;
    }
    expiry {
        a_record_lives_as_long_as_its_ttl: SecondsAreCutOff;
        a_record_is_gone_a_second_after_its_ttl: LivesAreTooLong ExpiryIsForLoadsOnly;
        one_millisecond_is_a_life: PartsOfASecondAreRefused LivesAreTooLong;
        thirty_days_and_more_are_a_life: ThirtyDaysAreADate;
        expires_in_is_what_is_left: ExpiresInIsTheWholeTtl;
        loading_does_not_renew: LoadRenews;
        an_update_without_a_ttl_leaves_the_life_alone: UpdateRestartsTheLife UpdateMakesImmortal;
        a_touch_renews_the_life_and_nothing_else: TouchOnlyLengthens;
        an_update_with_a_ttl_renews_the_life: TtlOnlyCountsForTouches;
        a_recreated_record_has_its_own_life: OldTimersEndNewRecords;
    }
    merge {
        names_that_are_not_mentioned_survive: UpdateReplacesTheRecord;
        a_set_replaces_the_value: SetKeepsTheOldValue;
        a_removal_takes_only_what_it_mentions: RemovalGoesByPrefix;
        one_update_sets_and_removes: SetsHideRemovals;
        removing_a_missing_name_is_no_error: RemovalOfNothingIsRefused;
        a_removed_name_can_be_set_again: RemovedNamesAreLost;
        an_empty_update_of_a_live_record_is_applied: EmptyUpdateIsGone;
        metadata_change_only_when_given: MetadataAreAlwaysReplaced;
    }
    expectation {
        an_expectation_that_holds_lets_the_update_happen: ExpectationsAreNeverMet;
        another_value_is_a_conflict: ExpectationsAreIgnored;
        a_name_can_be_expected_to_be_missing: ExpectationsOfMissingNamesAreIgnored;
        a_conflict_changes_nothing: ConflictAppliesTheRest ConflictRenews;
        every_expectation_must_hold: OnlyOneExpectationCounts;
        gone_comes_before_conflict: ConflictComesBeforeGone;
        an_unchanged_name_can_be_expected: ExpectationsOfUnchangedNamesAreIgnored;
        an_expectation_guards_a_touch: ExpectationsOfTouchesAreIgnored;
        expectations_compare_every_byte: ExpectationsCompareLengths;
    }
    rotation {
        a_rotation_sees_what_others_wrote_in_between: DeleteReturnsWhatWasCreated;
        a_writer_under_the_old_id_is_told_gone: UpdateCreates TouchRevives;
        no_applied_write_is_lost_in_a_rotation: DeleteReadsThenRemoves;
    }
    concurrency {
        one_of_many_creates_wins: CreateChecksThenWrites;
        updates_of_different_names_all_survive: UpdateWritesTheWholeRecord;
        touches_undo_no_update: TouchWritesTheWholeRecord;
        compare_and_swap_counts_every_increment: ExpectationsAreCheckedBeforehand;
        one_of_many_deletes_gets_the_record: DeleteReadsThenRemoves;
        load_never_sees_half_an_update: UpdateTakesTwoSteps;
        updates_that_race_with_a_delete_revive_nothing: UpdateWritesTheWholeRecord;
    }
    cancellation {
        a_dropped_create_happened_whole_or_not_at_all: CreateTakesTwoSteps;
        a_dropped_update_happened_whole_or_not_at_all: UpdateTakesTwoSteps;
        a_dropped_delete_happened_whole_or_not_at_all: DeleteTakesTwoSteps;
        later_calls_get_their_own_answers: AnswersAreLeftBehind;
        dropped_calls_disturb_no_other_caller: AnswersAreLeftBehind;
    }
    isolation {
        handles_of_one_namespace_share_records: EveryHandleIsAlone;
        namespaces_know_nothing_of_each_other: KeysLackTheNamespace;
        ids_know_nothing_of_each_other: KeysAreCutShort;
    }
    errors {
        an_unreachable_store_is_unavailable: OutageIsARejection NetworkIsConcealed;
        an_error_keeps_its_cause: ErrorsHaveNoSource ErrorsRepeatTheSource NetworkIsConcealed;
        no_error_shows_an_id_or_a_value:
            ErrorsShowTheId SourcesShowTheId ErrorsShowValues NetworkIsConcealed;
    }
    model {
        every_sequence_of_calls_is_answered_as_by_a_map:
            AbsentIsEmpty CreateOverwrites CreateRenewsWhatIsTaken EmptyRecordsAreNotStored
            OldTimersEndNewRecords LoadRenews ExpiresInIsTheWholeTtl UpdateCreates UpdateReplacesTheRecord
            UpdateRestartsTheLife UpdateMakesImmortal SetKeepsTheOldValue SetsHideRemovals
            RemovalOfNothingIsRefused RemovedNamesAreLost EmptiedRecordsVanish EmptyUpdateIsGone
            MetadataAreAlwaysReplaced TtlOnlyCountsForTouches TouchRevives TouchOnlyLengthens
            ExpectationsAreIgnored ExpectationsAreNeverMet ExpectationsOfMissingNamesAreIgnored
            ExpectationsOfTouchesAreIgnored OnlyOneExpectationCounts ConflictComesBeforeGone
            ConflictAppliesTheRest ConflictRenews DeleteReturnsNothing DeleteReturnsWhatWasCreated
            DeleteFindsTheAbsent ThirtyDaysAreADate EveryHandleIsAlone;
        every_sequence_of_requests_is_answered_as_by_a_mapping:
            UpdateCreates UpdateReplacesTheRecord
            SetKeepsTheOldValue SetsHideRemovals RemovedNamesAreLost EmptiedRecordsVanish
            ExpectationsAreIgnored
            ExpectationsAreNeverMet DeleteReturnsNothing DeleteReturnsWhatWasCreated
            DeleteFindsTheAbsent;
    }
}

/// Where the suite cannot turn the clock it has to be as sharp.
mod in_real_time {
    use super::*;
    use pycket_testkit::cases::expiry;

    #[test]
    fn a_record_lives_as_long_as_its_ttl() {
        let bench = Bench::in_real_time(Some(Fault::SecondsAreCutOff));
        assert!(is_caught(expiry::a_record_lives_as_long_as_its_ttl(&bench)));
    }

    #[test]
    fn a_record_is_gone_a_second_after_its_ttl() {
        let bench = Bench::in_real_time(Some(Fault::LivesAreTooLong));
        assert!(is_caught(expiry::a_record_is_gone_a_second_after_its_ttl(&bench)));
    }

    #[test]
    fn thirty_days_and_more_are_a_life() {
        let bench = Bench::in_real_time(Some(Fault::ThirtyDaysAreADate));
        assert!(is_caught(expiry::thirty_days_and_more_are_a_life(&bench)));
    }

    #[test]
    fn expires_in_is_what_is_left() {
        let bench = Bench::in_real_time(Some(Fault::ExpiresInIsTheWholeTtl));
        assert!(is_caught(expiry::expires_in_is_what_is_left(&bench)));
    }

    #[test]
    fn loading_does_not_renew() {
        let bench = Bench::in_real_time(Some(Fault::LoadRenews));
        assert!(is_caught(expiry::loading_does_not_renew(&bench)));
    }

    #[test]
    fn an_update_without_a_ttl_leaves_the_life_alone() {
        let bench = Bench::in_real_time(Some(Fault::UpdateRestartsTheLife));
        assert!(is_caught(expiry::an_update_without_a_ttl_leaves_the_life_alone(&bench)));
    }

    #[test]
    fn a_touch_renews_the_life_and_nothing_else() {
        let bench = Bench::in_real_time(Some(Fault::TouchOnlyLengthens));
        assert!(is_caught(expiry::a_touch_renews_the_life_and_nothing_else(&bench)));
    }

    #[test]
    fn a_recreated_record_has_its_own_life() {
        let bench = Bench::in_real_time(Some(Fault::OldTimersEndNewRecords));
        assert!(is_caught(expiry::a_recreated_record_has_its_own_life(&bench)));
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
    assert_eq!(BITING, registered);
}

fn is_caught(case: impl Future<Output = ()>) -> bool {
    catch_unwind(AssertUnwindSafe(|| block_on(case))).is_err()
}
