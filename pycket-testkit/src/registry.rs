/// The list of the cases, by group. Calls the given macro with it.
#[doc(hidden)]
#[macro_export]
macro_rules! for_every_case {
    ($($callback:tt)+) => {
        $($callback)+! {
            lifecycle {
                load_of_an_unknown_id_returns_nothing
                load_returns_the_whole_created_record
                create_never_overwrites
                update_never_creates
                delete_returns_the_removed_record
                delete_of_an_absent_record_returns_nothing
                only_create_revives_a_deleted_id
                record_stays_live_without_values
                deleted_records_leave_nothing_behind
            }
            values {
                values_keep_every_byte
                large_value_is_stored
                too_large_value_leaves_the_record_unchanged
                thousands_of_names_are_stored
                hostile_names_are_stored
                names_like_metadata_are_stored
                similar_names_stay_distinct
                record_without_values_is_stored
                metadata_are_stored_exactly
            }
            expiry {
                record_is_live_until_its_ttl_passes
                record_has_ended_one_second_after_its_ttl
                one_millisecond_is_a_valid_ttl
                ttl_over_thirty_days_is_not_a_date
                expires_in_is_the_remaining_time
                load_does_not_renew_the_ttl
                update_without_ttl_keeps_the_remaining_time
                touch_changes_only_the_ttl
                update_with_ttl_sets_the_new_ttl
                recreated_record_has_its_own_ttl
                create_over_an_expired_record_keeps_nothing
                update_that_waits_revives_no_ended_record
            }
            merge {
                unmentioned_names_keep_their_values
                set_replaces_the_whole_value
                remove_deletes_only_the_named_values
                one_update_sets_and_removes
                remove_of_a_missing_name_is_no_error
                removed_name_can_be_set_again
                empty_update_of_a_live_record_is_applied
                metadata_change_only_when_given
            }
            expectation {
                update_with_a_met_expectation_is_applied
                unexpected_value_is_a_conflict
                absence_of_a_name_can_be_expected
                conflict_changes_nothing
                every_expectation_must_hold
                ended_takes_precedence_over_conflict
                expired_record_is_ended_and_no_conflict
                unchanged_name_can_be_expected
                touch_checks_expectations
                expectations_compare_every_byte
            }
            version {
                update_after_a_load_is_applied
                writes_of_others_after_the_load_stay
                expectations_compare_the_stored_values
                deleted_record_does_not_come_back
                ended_record_does_not_come_back
            }
            rotation {
                delete_of_the_old_id_returns_late_writes
                update_under_the_old_id_returns_ended
                rotation_loses_no_applied_write
            }
            concurrency {
                one_of_many_creates_succeeds
                concurrent_updates_of_different_names_survive
                touch_undoes_no_concurrent_update
                compare_and_swap_counts_every_increment
                one_of_many_deletes_returns_the_record
                load_never_sees_half_an_update
                update_during_a_delete_revives_nothing
            }
            cancellation {
                dropped_create_is_atomic
                dropped_update_is_atomic
                dropped_delete_is_atomic
                calls_after_a_dropped_call_get_their_own_answers
                dropped_call_disturbs_no_other_caller
                writes_after_a_dropped_call_reach_every_handle
            }
            isolation {
                handles_of_one_namespace_share_records
                namespaces_share_no_records
                similar_ids_share_no_records
            }
            errors {
                unreachable_store_is_unavailable
                error_keeps_its_source
                error_shows_no_id_and_no_value
                refused_call_shows_no_id_and_no_value
                corrupt_record_is_reported_until_it_is_deleted
            }
            model {
                calls_agree_with_the_model
                requests_agree_with_the_model
            }
        }
    };
}
