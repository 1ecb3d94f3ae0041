/// The one list of the cases, by group; whoever needs it hands in the macro to be called with it.
#[doc(hidden)]
#[macro_export]
macro_rules! for_every_case {
    ($($callback:tt)+) => {
        $($callback)+! {
            lifecycle {
                what_was_never_created_is_absent
                a_created_record_is_loaded_whole
                create_never_overwrites
                update_never_creates
                delete_returns_what_it_removed
                deleting_what_is_absent_finds_nothing
                nothing_but_create_revives_a_deleted_id
                an_emptied_record_is_still_live
            }
            values {
                every_byte_comes_back
                a_large_value_comes_back
                what_is_too_large_leaves_the_record_alone
                thousands_of_names_come_back
                hostile_names_come_back
                names_like_metadata_come_back
                similar_names_are_different
                a_record_without_values_comes_back
                metadata_come_back
            }
            expiry {
                a_record_lives_as_long_as_its_ttl
                a_record_is_gone_a_second_after_its_ttl
                one_millisecond_is_a_life
                thirty_days_and_more_are_a_life
                expires_in_is_what_is_left
                loading_does_not_renew
                an_update_without_a_ttl_leaves_the_life_alone
                a_touch_renews_the_life_and_nothing_else
                an_update_with_a_ttl_renews_the_life
                a_recreated_record_has_its_own_life
            }
            merge {
                names_that_are_not_mentioned_survive
                a_set_replaces_the_value
                a_removal_takes_only_what_it_mentions
                one_update_sets_and_removes
                removing_a_missing_name_is_no_error
                a_removed_name_can_be_set_again
                an_empty_update_of_a_live_record_is_applied
                metadata_change_only_when_given
            }
            expectation {
                an_expectation_that_holds_lets_the_update_happen
                another_value_is_a_conflict
                a_name_can_be_expected_to_be_missing
                a_conflict_changes_nothing
                every_expectation_must_hold
                gone_comes_before_conflict
                an_unchanged_name_can_be_expected
                an_expectation_guards_a_touch
                expectations_compare_every_byte
            }
            rotation {
                a_rotation_sees_what_others_wrote_in_between
                a_writer_under_the_old_id_is_told_gone
                no_applied_write_is_lost_in_a_rotation
            }
            concurrency {
                one_of_many_creates_wins
                updates_of_different_names_all_survive
                touches_undo_no_update
                compare_and_swap_counts_every_increment
                one_of_many_deletes_gets_the_record
                load_never_sees_half_an_update
                updates_that_race_with_a_delete_revive_nothing
            }
            cancellation {
                a_dropped_create_happened_whole_or_not_at_all
                a_dropped_update_happened_whole_or_not_at_all
                a_dropped_delete_happened_whole_or_not_at_all
                later_calls_get_their_own_answers
                dropped_calls_disturb_no_other_caller
            }
            isolation {
                handles_of_one_namespace_share_records
                namespaces_know_nothing_of_each_other
                ids_know_nothing_of_each_other
            }
            errors {
                an_unreachable_store_is_unavailable
                an_error_keeps_its_cause
                no_error_shows_an_id_or_a_value
            }
            model {
                every_sequence_of_calls_is_answered_as_by_a_map
                every_sequence_of_requests_is_answered_as_by_a_mapping
            }
        }
    };
}
