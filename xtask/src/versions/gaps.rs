use super::server::{Kind, Server};

/// Tests that a server cannot run, because it lacks what they use. The driver itself needs none of it.
#[derive(Debug)]
pub(super) struct Gap {
    pub(super) reason: &'static str,
    applies: fn(&Server) -> bool,
    /// Parts of the names of the tests.
    pub(super) tests: &'static [&'static str],
}

const GAPS: [Gap; 3] = [
    Gap {
        reason: "tests of TLS, for a server that was built without TLS",
        applies: |server| server.kind != Kind::Memcached && !server.has_tls,
        tests: &["tls::"],
    },
    Gap {
        reason: "tests that use users, RESP3 or the server's count of reads, which Redis has from version 6 on",
        applies: |server| server.kind == Kind::Redis && !server.is_at_least([6, 0]),
        tests: &[],
    },
    Gap {
        reason: "tests that need `CLIENT INFO` or change the addresses of a running server, which Redis has from version 6.2 on",
        applies: |server| server.kind == Kind::Redis && !server.is_at_least([6, 2]),
        tests: &[],
    },
];

pub(super) fn of(server: &Server) -> impl Iterator<Item = &'static Gap> {
    GAPS.iter().filter(|gap| (gap.applies)(server))
}

#[cfg(test)]
mod tests {
    use super::super::server::for_tests;
    use super::*;

    #[test]
    fn only_old_servers_and_those_without_tls_leave_tests_out() {
        let gaps = |kind, version, has_tls| of(&for_tests(kind, version, has_tls)).count();
        assert_eq!(gaps(Kind::Redis, "5.0.6", false), 3);
        assert_eq!(gaps(Kind::Redis, "6.0.20", true), 1);
        assert_eq!(gaps(Kind::Redis, "7.0.15", true), 0);
        assert_eq!(gaps(Kind::Valkey, "8.1.8", true), 0);
        assert_eq!(gaps(Kind::Memcached, "1.6.18", false), 0);
    }
}
