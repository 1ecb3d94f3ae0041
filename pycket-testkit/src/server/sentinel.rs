use std::ffi::OsString;
use std::path::Path;

use super::redis::{VOLATILE, arguments};
use super::talk::await_that;
use super::{Kind, Server};

/// How long the primary may be silent before a sentinel calls it dead.
const DOWN_AFTER_MS: &str = "1000";

const REPLICAS: usize = 2;
const SENTINELS: usize = 3;
const QUORUM: &str = "2";

static MEMBER: Kind = Kind { arguments: member, ..VOLATILE };

static WATCHER: Kind = Kind { arguments: watcher, ..VOLATILE };

/// A Redis primary with two replicas, and three sentinels that make one of them primary when the first
/// has been silent for a second.
///
/// Every one of the six is a [`Server`] of its own, so it can be killed, paused and restarted alone; they
/// all end with this value or with the test process.
///
/// ```no_run
/// use pycket_testkit::Server;
///
/// let watched = Server::redis_sentinel();
/// println!("{}", watched.url());
/// watched.primary().kill();
/// ```
///
/// # Panics
///
/// As every method of [`Server`].
#[derive(Debug)]
pub struct RedisSentinel {
    /// The primary first.
    members: Vec<Server>,
    sentinels: Vec<Server>,
}

impl Server {
    /// A primary with two replicas and three sentinels, who agree with each other.
    ///
    /// # Panics
    ///
    /// Like [`redis`](Self::redis).
    pub fn redis_sentinel() -> RedisSentinel {
        let members = (0..=REPLICAS).map(|_| Self::launch(&MEMBER)).collect();
        let sentinels = (0..SENTINELS).map(|_| Self::launch(&WATCHER)).collect();
        let watched = RedisSentinel { members, sentinels };
        watched.join();
        watched
    }
}

impl RedisSentinel {
    /// The name under which the sentinels know the primary.
    pub const SERVICE: &'static str = "pycket-test";

    /// The sentinels and the service as one URL, such as
    /// `redis+sentinel://127.0.0.1:14321,127.0.0.1:14322/pycket-test`.
    pub fn url(&self) -> String {
        let sentinels: Vec<_> =
            self.sentinels.iter().map(|sentinel| sentinel.address().to_string()).collect();
        format!("redis+sentinel://{}/{}", sentinels.join(","), Self::SERVICE)
    }

    /// The server that was primary in the beginning.
    pub fn primary(&self) -> &Server {
        &self.members[0]
    }

    /// Those that were its replicas.
    pub fn replicas(&self) -> &[Server] {
        &self.members[1..]
    }

    /// Who watches them.
    pub fn sentinels(&self) -> &[Server] {
        &self.sentinels
    }

    fn join(&self) {
        let port = self.primary().port().to_string();
        for replica in self.replicas() {
            replica.order(&["REPLICAOF", "127.0.0.1", &port]);
        }
        await_that("the replicas have the data", || {
            let up = "master_link_status:up";
            self.replicas().iter().all(|replica| replica.order(&["INFO"]).contains(up))
                && self.primary().order(&["INFO"]).contains(&format!("connected_slaves:{REPLICAS}"))
        });
        for sentinel in &self.sentinels {
            sentinel.order(&["SENTINEL", "MONITOR", Self::SERVICE, "127.0.0.1", &port, QUORUM]);
            let set = ["SENTINEL", "SET", Self::SERVICE];
            let values = ["down-after-milliseconds", DOWN_AFTER_MS, "failover-timeout", "5000"];
            sentinel.order(&[set.as_slice(), &values].concat());
        }
        await_that("the sentinels know each other", || {
            let known = [
                format!("num-slaves\n{REPLICAS}\n"),
                format!("num-other-sentinels\n{}\n", SENTINELS - 1),
                "flags\nmaster\n".to_owned(),
            ];
            self.sentinels.iter().all(|sentinel| {
                let master = sentinel.order(&["SENTINEL", "MASTER", Self::SERVICE]);
                known.iter().all(|known| master.contains(known))
            })
        });
    }
}

fn member(port: u16, directory: &Path) -> Vec<OsString> {
    arguments(port, directory, &["--appendonly", "no", "--repl-diskless-sync-delay", "0"])
}

/// A sentinel keeps what it knows in its settings file, and does not start without one.
fn watcher(port: u16, directory: &Path) -> Vec<OsString> {
    let file = directory.join("sentinel.conf");
    std::fs::write(&file, "").expect("the server's directory can be written to");
    let port = port.to_string();
    let mut words: Vec<OsString> = vec![file.into(), "--sentinel".into()];
    words.extend(["--bind", "127.0.0.1", "--port", &port, "--dir"].map(OsString::from));
    words.push(directory.into());
    words
}
