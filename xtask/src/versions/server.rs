use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;

/// A program that can be tested.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) kind: Kind,
    pub(super) version: String,
    /// Absolute, because each test program starts in the folder of its crate.
    pub(super) path: PathBuf,
    pub(super) has_tls: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Redis,
    Valkey,
    Memcached,
}

impl Server {
    /// The server at this path, or an error if there is none that a driver can use.
    pub(super) fn at(path: &Path) -> Result<Self, String> {
        let path = path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))?;
        let answer = command::capture(Command::new(&path).arg("--version"))?;
        let (kind, version) = parse(&answer).ok_or_else(|| {
            let program = path.display();
            format!(
                "`{program} --version` names neither Redis, Valkey nor memcached: {}",
                answer.trim()
            )
        })?;
        let has_tls = kind != Kind::Memcached && has_tls(&path);
        Ok(Self { kind, version, path, has_tls })
    }

    /// Whether the version is at least this one.
    pub(super) fn is_at_least(&self, least: [u32; 2]) -> bool {
        let mut parts = self.version.split(['.', '-']).map(|part| part.parse().unwrap_or(0));
        [0; 2].map(|_| parts.next().unwrap_or(0)) >= least
    }

    pub(super) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Redis => "redis",
            Kind::Valkey => "valkey",
            Kind::Memcached => "memcached",
        }
    }

    /// The crate whose tests use this server.
    pub(super) fn package(&self) -> &'static str {
        match self.kind {
            Kind::Redis | Kind::Valkey => "pycket-redis",
            Kind::Memcached => "pycket-memcache",
        }
    }

    /// The variable that makes the test kit start this program.
    pub(super) fn variable(&self) -> &'static str {
        match self.kind {
            Kind::Redis | Kind::Valkey => "PYCKET_REDIS_SERVER",
            Kind::Memcached => "PYCKET_MEMCACHED_SERVER",
        }
    }
}

fn parse(answer: &str) -> Option<(Kind, String)> {
    let (kind, rest) = [
        (Kind::Redis, "Redis server v="),
        (Kind::Valkey, "Valkey server v="),
        (Kind::Memcached, "memcached "),
    ]
    .into_iter()
    .find_map(|(kind, start)| Some((kind, answer.trim().strip_prefix(start)?)))?;
    Some((kind, rest.split_whitespace().next()?.to_owned()))
}

/// A server with TLS refuses to start without a certificate. Another one says first that it has no TLS.
fn has_tls(path: &Path) -> bool {
    let output = Command::new(path).args(["--port", "0", "--tls-port", "1"]).output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("tls-cert-file"))
}

#[cfg(test)]
pub(super) fn for_tests(kind: Kind, version: &str, has_tls: bool) -> Server {
    Server { kind, version: version.to_owned(), path: PathBuf::new(), has_tls }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_read_from_what_each_server_prints() {
        for (answer, expected) in [
            (
                "Redis server v=7.0.15 sha=0:0 malloc=jemalloc bits=64",
                Some((Kind::Redis, "7.0.15")),
            ),
            ("Valkey server v=8.1.8 sha=0:1 malloc=libc bits=64", Some((Kind::Valkey, "8.1.8"))),
            ("memcached 1.6.18\n", Some((Kind::Memcached, "1.6.18"))),
            ("sh 5.2", None),
            ("memcached ", None),
        ] {
            let expected = expected.map(|(kind, version)| (kind, version.to_owned()));
            assert_eq!(parse(answer), expected, "{answer}");
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let is_at_least = |version, least| for_tests(Kind::Redis, version, true).is_at_least(least);
        assert!(is_at_least("10.0.1", [6, 2]));
        assert!(is_at_least("6.2.14", [6, 2]));
        assert!(!is_at_least("6.0.20", [6, 2]));
        assert!(!is_at_least("5.0.6", [6, 0]));
    }
}
