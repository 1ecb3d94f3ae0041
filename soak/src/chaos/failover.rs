//! Faults after which another server is the primary.

use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use pycket_testkit::servers::{RedisSentinel, Server};

use super::{Chaos, Fault};
use crate::Result;
use crate::store::{Backend, ask, primaries};

/// How long a group may take to replace a primary on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// After a failover, a server may take a server for a primary that is none any more for so long.
const BLUR: Duration = Duration::from_secs(3);

impl Chaos<'_> {
    /// Kills or pauses a primary until a replica has taken over. It comes back as a replica: one that started empty
    /// as a primary would lose all sessions.
    pub(super) fn replace_primary(&self, fault: Fault, random: &mut Rng) -> Result<()> {
        let members = self.backend.members();
        let primary = *random.choice(&primaries(&members)).ok_or("there is no primary")?;
        self.blurred(|| {
            match fault {
                Fault::Kill => primary.kill(),
                _ => primary.pause(),
            }
            let others: Vec<&Server> =
                members.iter().filter(|it| it.port() != primary.port()).copied().collect();
            let count = primaries(&others).len();
            let is_group = matches!(self.backend, Backend::Sentinel(_));
            let enough = if is_group { 1 } else { count + 1 };
            let replaced = until("a replica takes over", || primaries(&others).len() >= enough);
            match fault {
                Fault::Kill => primary.restart(),
                _ => primary.resume(),
            }
            replaced?;
            self.is_healthy()
        })
    }

    /// Has a replica take over while all servers run.
    pub(super) fn fail_over(&self, random: &mut Rng) -> Result<()> {
        self.blurred(|| {
            match self.backend {
                Backend::Sentinel(group) => {
                    let sentinel =
                        random.choice(group.sentinels()).ok_or("there is no sentinel")?;
                    let _: redis::Value =
                        ask(sentinel, &["SENTINEL", "FAILOVER", group.service()])?;
                    thread::sleep(Duration::from_secs(1));
                }
                _ => {
                    let members = self.backend.members();
                    let current: Vec<u16> =
                        primaries(&members).iter().map(|it| it.port()).collect();
                    let is_replica = |server: &&&Server| !current.contains(&server.port());
                    let replicas: Vec<&Server> =
                        members.iter().filter(is_replica).copied().collect();
                    let replica = *random.choice(&replicas).ok_or("there is no replica")?;
                    let _: redis::Value = ask(replica, &["CLUSTER", "FAILOVER"])?;
                    until("the replica is the primary", || !primaries(&[replica]).is_empty())?;
                }
            }
            self.is_healthy()
        })
    }

    fn blurred(&self, strike: impl FnOnce() -> Result<()>) -> Result<()> {
        self.oracle.begin_blur();
        let result = strike();
        self.oracle.end_blur(Instant::now() + BLUR);
        result
    }

    /// Waits until each primary has its replicas again, and the sentinels agree.
    fn is_healthy(&self) -> Result<()> {
        let members = self.backend.members();
        until("the replicas follow their primaries", || {
            members.iter().all(|server| {
                let text: Result<String> = ask(server, &["INFO", "replication"]);
                let expected = match self.backend {
                    Backend::Sentinel(_) => "connected_slaves:2",
                    _ => "connected_slaves:1",
                };
                text.is_ok_and(|text| {
                    text.contains("master_link_status:up")
                        || text.contains("role:master") && text.contains(expected)
                })
            })
        })?;
        if let Backend::Sentinel(group) = self.backend {
            until("the sentinels agree", || sentinels_agree(group))?;
        }
        Ok(())
    }
}

fn sentinels_agree(group: &RedisSentinel) -> bool {
    group.sentinels().iter().all(|sentinel| {
        let state: Result<Vec<String>> = ask(sentinel, &["SENTINEL", "MASTER", group.service()]);
        state.is_ok_and(|state| {
            let mut pairs = state.chunks(2).filter_map(|pair| pair.split_first());
            pairs.any(|(name, value)| name == "flags" && value == ["master"])
        })
    })
}

/// Waits until the condition holds, which the error names.
fn until(condition: &str, mut holds: impl FnMut() -> bool) -> Result<()> {
    let begin = Instant::now();
    while !holds() {
        if begin.elapsed() > LIMIT {
            return Err(format!("still not true after {LIMIT:?}: {condition}").into());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
