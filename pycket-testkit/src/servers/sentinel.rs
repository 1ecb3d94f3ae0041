use std::ffi::OsString;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::redis::{VOLATILE, arguments};
use super::send::wait_until;
use super::server::{Kind, Server, addresses};

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
#[derive(Debug)]
pub struct RedisSentinel {
    /// The primary is the first.
    members: Vec<Server>,
    sentinels: Vec<Server>,
    service: String,
}

impl Server {
    /// A primary with two replicas and three sentinels. When this returns the sentinels agree.
    pub fn redis_sentinel() -> RedisSentinel {
        let members = (0..=REPLICAS).map(|_| Self::launch(&MEMBER)).collect();
        let sentinels = (0..SENTINELS).map(|_| Self::launch(&SENTINEL)).collect();
        // No other group has this name. Otherwise the sentinels of a group whose primary is dead would join the
        // group that has its port next.
        static GROUPS: AtomicUsize = AtomicUsize::new(0);
        let number = GROUPS.fetch_add(1, Ordering::Relaxed);
        let service = format!("pycket-test-{}-{number}", std::process::id());
        let group = RedisSentinel { members, sentinels, service };
        group.join();
        group
    }
}

impl RedisSentinel {
    /// The name under which the sentinels know the primary.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The sentinels and the service as one URL, such as
    /// `redis+sentinel://127.0.0.1:14321,127.0.0.1:14322/pycket-test-77-0`.
    pub fn url(&self) -> String {
        format!("redis+sentinel://{}/{}", addresses(&self.sentinels), self.service)
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
        let (port, service) = (self.primary().port(), self.service());
        for replica in self.replicas() {
            replica.send(&format!("REPLICAOF 127.0.0.1 {port}"));
        }
        wait_until("the replicas have the data", || {
            let up = "master_link_status:up";
            let all = format!("connected_slaves:{REPLICAS}\r\n");
            self.replicas().iter().all(|replica| replica.send("INFO").contains(up))
                && self.primary().send("INFO").contains(&all)
        });
        for sentinel in &self.sentinels {
            sentinel.send(&format!("SENTINEL MONITOR {service} 127.0.0.1 {port} {QUORUM}"));
            sentinel.send(&format!(
                "SENTINEL SET {service} down-after-milliseconds {DOWN_AFTER_MS} \
                 failover-timeout 5000"
            ));
        }
        wait_until("the sentinels know each other", || {
            let expected = [
                format!("num-slaves\r\n$1\r\n{REPLICAS}\r\n"),
                format!("num-other-sentinels\r\n$1\r\n{}\r\n", SENTINELS - 1),
                "flags\r\n$6\r\nmaster\r\n".to_owned(),
            ];
            self.sentinels.iter().all(|sentinel| {
                let state = sentinel.send(&format!("SENTINEL MASTER {service}"));
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
