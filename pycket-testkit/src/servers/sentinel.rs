use std::ffi::OsString;
use std::path::Path;

use super::command::wait_until;
use super::redis::{VOLATILE, arguments};
use super::server::{Kind, Server};

/// How long the primary may be silent before a sentinel counts it as failed.
const DOWN_AFTER_MS: &str = "1000";

const REPLICAS: usize = 2;
const SENTINELS: usize = 3;
const QUORUM: &str = "2";

static MEMBER: Kind = Kind { arguments: member, ..VOLATILE };

static SENTINEL: Kind = Kind { arguments: sentinel, ..VOLATILE };

/// A Redis primary with two replicas and three sentinels. When the primary is silent for a second, the
/// sentinels promote a replica.
///
/// Each of the six is a [`Server`] that can be killed, paused and restarted alone.
///
/// ```no_run
/// use pycket_testkit::servers::Server;
///
/// let group = Server::redis_sentinel();
/// println!("{}", group.url());
/// group.primary().kill();
/// ```
#[derive(Debug)]
pub struct RedisSentinel {
    /// The primary is the first.
    members: Vec<Server>,
    sentinels: Vec<Server>,
}

impl Server {
    /// A primary with two replicas and three sentinels. When this returns the sentinels agree.
    ///
    /// # Panics
    ///
    /// Like [`redis`](Self::redis).
    pub fn redis_sentinel() -> RedisSentinel {
        let members = (0..=REPLICAS).map(|_| Self::launch(&MEMBER)).collect();
        let sentinels = (0..SENTINELS).map(|_| Self::launch(&SENTINEL)).collect();
        let group = RedisSentinel { members, sentinels };
        group.join();
        group
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

    /// The server that started as the primary.
    pub fn primary(&self) -> &Server {
        &self.members[0]
    }

    /// The servers that started as replicas.
    pub fn replicas(&self) -> &[Server] {
        &self.members[1..]
    }

    /// The sentinels.
    pub fn sentinels(&self) -> &[Server] {
        &self.sentinels
    }

    fn join(&self) {
        let port = self.primary().port().to_string();
        for replica in self.replicas() {
            replica.command(&["REPLICAOF", "127.0.0.1", &port]);
        }
        wait_until("the replicas have the data", || {
            let up = "master_link_status:up";
            let all = format!("connected_slaves:{REPLICAS}");
            self.replicas().iter().all(|replica| replica.command(&["INFO"]).contains(up))
                && self.primary().command(&["INFO"]).contains(&all)
        });
        for sentinel in &self.sentinels {
            sentinel.command(&["SENTINEL", "MONITOR", Self::SERVICE, "127.0.0.1", &port, QUORUM]);
            let set = ["SENTINEL", "SET", Self::SERVICE];
            let values = ["down-after-milliseconds", DOWN_AFTER_MS, "failover-timeout", "5000"];
            sentinel.command(&[set.as_slice(), &values].concat());
        }
        wait_until("the sentinels know each other", || {
            let expected = [
                format!("num-slaves\n{REPLICAS}\n"),
                format!("num-other-sentinels\n{}\n", SENTINELS - 1),
                "flags\nmaster\n".to_owned(),
            ];
            self.sentinels.iter().all(|sentinel| {
                let state = sentinel.command(&["SENTINEL", "MASTER", Self::SERVICE]);
                expected.iter().all(|expected| state.contains(expected))
            })
        });
    }
}

fn member(port: u16, directory: &Path) -> Vec<OsString> {
    arguments(port, directory, &["--appendonly", "no", "--repl-diskless-sync-delay", "0"])
}

/// A sentinel keeps its state in its settings file, and does not start without one.
fn sentinel(port: u16, directory: &Path) -> Vec<OsString> {
    let file = directory.join("sentinel.conf");
    std::fs::write(&file, "").expect("the server's directory is writable");
    let port = port.to_string();
    let mut words: Vec<OsString> = vec![file.into(), "--sentinel".into()];
    words.extend(["--bind", "127.0.0.1", "--port", &port, "--dir"].map(OsString::from));
    words.push(directory.into());
    words
}
