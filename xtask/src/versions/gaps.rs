use super::server::{Kind, Server};

/// Tests that a server cannot run, because it lacks what they use. The driver itself needs none of it.
#[derive(Debug)]
pub(super) struct Gap {
    pub(super) reason: &'static str,
    applies: fn(&Server) -> bool,
    /// Parts of the names of the tests.
    pub(super) tests: &'static [&'static str],
}

const GAPS: [Gap; 4] = [
    Gap {
        reason: "without TLS in the server: the tests of TLS",
        applies: |server| server.kind != Kind::Memcached && !server.has_tls,
        tests: &["tls::"],
    },
    Gap {
        reason: "before Redis 6: tests that use `ACL`, RESP3, or the count of reads in `INFO`, and one of eviction, \
                 because this server also refuses scripts for lack of memory while it could evict",
        applies: |server| server.kind == Kind::Redis && !server.is_at_least([6, 0]),
        tests: &[
            "credentials_may_be_only_a_password",
            "provider_is_asked_for_each_connection",
            "provider_that_fails_or_panics_makes_the_store_unavailable",
            "store_works_again_when_the_old_password_is_put_back",
            "every_setting_in_a_file_is_applied",
            "resp2_and_resp3_give_the_same_record",
            "permissions::",
            "correct_password_is_accepted",
            "missing_permission_is_rejected_without_retries",
            "round_trips::",
            "requests_that_are_ready_together_share_one_write",
            "evicted_session_has_ended_and_all_calls_still_work",
        ],
    },
    Gap {
        reason: "before Redis 6.2: tests that use `CLIENT INFO`, `CONFIG SET bind`, `ACL` of sentinels, or the count of \
                 errors in `INFO`",
        applies: |server| server.kind == Kind::Redis && !server.is_at_least([6, 2]),
        tests: &[
            "late_writes::",
            "ipv6_address_works_with_and_without_brackets",
            "user_of_the_sentinels_needs_sentinel_and_subscribe",
            "sentinels_and_primary_can_have_different_passwords",
            "write_to_a_migrating_slot_waits_for_replicas_of_the_new_node",
            "moving_slots_under_load_causes_no_error_and_loses_no_session",
        ],
    },
    Gap {
        reason: "before Redis 7: a test of `min-replicas-to-write`, which does not hold for scripts there",
        applies: |server| server.kind == Kind::Redis && !server.is_at_least([7, 0]),
        tests: &["write_to_a_node_that_lacks_replicas_is_retried_until_it_works"],
    },
];

pub(super) fn of(server: &Server) -> impl Iterator<Item = &'static Gap> {
    GAPS.iter().filter(|gap| (gap.applies)(server))
}

pub(super) fn of_any(servers: &[Server]) -> impl Iterator<Item = &'static Gap> {
    GAPS.iter().filter(|gap| servers.iter().any(|server| (gap.applies)(server)))
}

#[cfg(test)]
mod tests {
    use super::super::server::for_tests;
    use super::*;

    #[test]
    fn only_old_servers_and_those_without_tls_leave_tests_out() {
        let gaps = |kind, version, has_tls| of(&for_tests(kind, version, has_tls)).count();
        assert_eq!(gaps(Kind::Redis, "5.0.6", false), 4);
        assert_eq!(gaps(Kind::Redis, "6.0.20", true), 2);
        assert_eq!(gaps(Kind::Redis, "7.0.15", true), 0);
        assert_eq!(gaps(Kind::Valkey, "8.1.8", true), 0);
        assert_eq!(gaps(Kind::Memcached, "1.6.18", false), 0);
    }
}
