//! Clients that create, change, rotate and destroy sessions under load, and remember every acknowledged call.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use pycket_core::{Error, Outcome};
use tokio::task::JoinSet;

use crate::*;

const CLIENTS: usize = 6;
const SESSIONS_PER_CLIENT: usize = 4;

/// Where a test is: before, during or after the disruption of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Before,
    Disruption,
    After,
}

/// The result of a call that succeeded. The end of the test checks that it is still there.
#[derive(Clone, Debug)]
pub(crate) struct Acknowledged {
    /// The name that was written. `None` if no session may exist under the id: it was destroyed or rotated.
    name: Option<String>,
    /// The phase in which the call began.
    pub(crate) phase: Phase,
    /// The id under which the call wrote.
    pub(crate) written_to: SessionId,
}

/// What one client has done.
#[derive(Default)]
struct Counts {
    /// Successful calls, by phase.
    calls: [AtomicUsize; 3],
    logins: AtomicUsize,
}

/// The longest time without an acknowledged write.
struct WriteGap {
    last: Instant,
    longest: Duration,
}

pub(crate) struct Traffic {
    manager: SessionManager,
    phase: Mutex<Phase>,
    is_stopped: AtomicBool,
    /// By the current id of the session, because a session gets many values.
    acknowledged: Mutex<BTreeMap<SessionId, Vec<Acknowledged>>>,
    /// The phases in which the call began and ended, and the error.
    errors: Mutex<Vec<(Phase, Phase, String)>>,
    counts: [Counts; CLIENTS],
    gap: Mutex<WriteGap>,
    clients: OnceLock<Mutex<JoinSet<()>>>,
}

impl Traffic {
    pub(crate) fn begin(store: RedisStore) -> Arc<Self> {
        let traffic = Arc::new(Self {
            manager: manager(store),
            phase: Mutex::new(Phase::Before),
            is_stopped: AtomicBool::new(false),
            acknowledged: Mutex::default(),
            errors: Mutex::default(),
            counts: Default::default(),
            gap: Mutex::new(WriteGap { last: Instant::now(), longest: Duration::ZERO }),
            clients: OnceLock::new(),
        });
        let mut clients = JoinSet::new();
        for client in 0..CLIENTS {
            clients.spawn(traffic.clone().run_client(client));
        }
        _ = traffic.clients.set(Mutex::new(clients));
        traffic
    }

    pub(crate) fn enter(&self, phase: Phase) {
        *self.phase.lock().unwrap() = phase;
    }

    /// Waits until every client has made `times` more successful calls in this phase.
    pub(crate) async fn succeeds(&self, times: usize) {
        let phase = self.phase() as usize;
        let calls = |client: usize| self.counts[client].calls[phase].load(Ordering::SeqCst);
        let before: Vec<_> = (0..CLIENTS).map(calls).collect();
        operator::wait_until("the clients are served", || {
            before.iter().enumerate().all(|(client, before)| calls(client) >= before + times)
        })
        .await;
    }

    /// Stops the clients. Returns the acknowledged results that are lost, and all errors.
    pub(crate) async fn end(&self) -> (Vec<Acknowledged>, Vec<(Phase, Phase, String)>) {
        self.is_stopped.store(true, Ordering::SeqCst);
        let clients = std::mem::take(&mut *self.clients.get().unwrap().lock().unwrap());
        clients.join_all().await;
        let acknowledged = self.acknowledged.lock().unwrap().clone();
        let mut lost = Vec::new();
        for (id, entries) in acknowledged {
            let session = self.manager.open(Some(id)).await.unwrap();
            let is_lost = |entry: &Acknowledged| match &entry.name {
                Some(name) => !session.contains(name),
                None => !session.is_new(),
            };
            lost.extend(entries.into_iter().filter(is_lost));
        }
        (lost, self.errors.lock().unwrap().clone())
    }

    /// Counts and the longest gap, in one line.
    pub(crate) fn summary(&self) -> String {
        let logins: usize =
            self.counts.iter().map(|counts| counts.logins.load(Ordering::SeqCst)).sum();
        let acknowledged: usize = self.acknowledged.lock().unwrap().values().map(Vec::len).sum();
        let gap = self.gap.lock().unwrap().longest;
        format!(
            "{acknowledged} acknowledged calls, {logins} logins, at most {gap:.1?} without a write"
        )
    }

    fn phase(&self) -> Phase {
        *self.phase.lock().unwrap()
    }

    async fn run_client(self: Arc<Self>, client: usize) {
        let mut ids = Vec::new();
        for step in 0.. {
            if self.is_stopped.load(Ordering::SeqCst) {
                return;
            }
            // A pause, so that six clients leave the servers time, and no session gets thousands of values.
            tokio::time::sleep(Duration::from_millis(1)).await;
            let phase = self.phase();
            let next = step % SESSIONS_PER_CLIENT;
            let outcome = if ids.len() < SESSIONS_PER_CLIENT {
                self.create_session(phase).await.map(|id| ids.push(id))
            } else if step % 8 == 0 {
                self.create_and_destroy(phase).await
            } else if step % 8 == 3 {
                self.log_in(client, phase, &mut ids[step / 8 % SESSIONS_PER_CLIENT], step).await
            } else {
                self.write(phase, ids[next], step).await
            };
            match outcome {
                Ok(()) => {
                    _ = self.counts[client].calls[phase as usize].fetch_add(1, Ordering::SeqCst)
                }
                Err(error) => {
                    assert!(error.is_transient(), "{error:?}");
                    let error = format!("{error:?}");
                    self.errors.lock().unwrap().push((phase, self.phase(), error));
                }
            }
        }
    }

    async fn create_session(&self, phase: Phase) -> Result<SessionId, Error> {
        let session = self.manager.open(None).await?;
        session.set("created", "yes")?;
        session.commit().await?;
        let id = session.id().unwrap();
        self.acknowledge(id, Some("created".to_owned()), phase);
        Ok(id)
    }

    async fn write(&self, phase: Phase, id: SessionId, step: usize) -> Result<(), Error> {
        let session = self.manager.open(Some(id)).await?;
        if session.is_new() {
            // The session was lost. `end` reports it.
            return Ok(());
        }
        let name = format!("step {step}");
        session.set(&name, "done")?;
        if session.commit().await? == Outcome::Updated {
            self.acknowledge(id, Some(name), phase);
        }
        Ok(())
    }

    /// Rotates a session while another request has it open under the old id.
    async fn log_in(
        &self,
        client: usize,
        phase: Phase,
        id: &mut SessionId,
        step: usize,
    ) -> Result<(), Error> {
        let old = *id;
        let session = self.manager.open(Some(old)).await?;
        let late = self.manager.open(Some(old)).await?;
        if session.is_new() || late.is_new() {
            return Ok(());
        }
        let found: HashSet<_> = session.keys().into_iter().collect();
        let name = format!("login {step}");
        session.set(&name, "done")?;
        session.cycle_id();
        let result = session.commit().await;
        // The id that works, even if the commit failed.
        *id = session.id().unwrap_or(old);
        let mut entries = self.acknowledged.lock().unwrap().remove(&old).unwrap_or_default();
        for entry in &mut entries {
            // The rotation wrote every value that the session had when it was opened.
            if result.is_ok() && entry.name.as_ref().is_some_and(|name| found.contains(name)) {
                (entry.phase, entry.written_to) = (phase, *id);
            }
        }
        self.acknowledged.lock().unwrap().entry(*id).or_default().append(&mut entries);
        if result? == Outcome::Rotated {
            self.counts[client].logins.fetch_add(1, Ordering::SeqCst);
            self.acknowledge(old, None, phase);
            self.acknowledge(*id, Some(name), phase);
            // The late request must not bring the old session back.
            late.set("late", "yes")?;
            assert_ne!(late.commit().await?, Outcome::Created);
        }
        Ok(())
    }

    /// Creates a session, and destroys it while another request has it open.
    async fn create_and_destroy(&self, phase: Phase) -> Result<(), Error> {
        let id = self.create_session(phase).await?;
        let session = self.manager.open(Some(id)).await?;
        let late = self.manager.open(Some(id)).await?;
        if session.is_new() || late.is_new() {
            return Ok(());
        }
        // If the commit fails, the session may exist or not.
        self.acknowledged.lock().unwrap().remove(&id);
        session.destroy();
        session.commit().await?;
        self.acknowledge(id, None, phase);
        // The late request must not bring the session back.
        late.set("late", "yes")?;
        assert_ne!(late.commit().await?, Outcome::Created);
        Ok(())
    }

    fn acknowledge(&self, id: SessionId, name: Option<String>, phase: Phase) {
        let entry = Acknowledged { name, phase, written_to: id };
        self.acknowledged.lock().unwrap().entry(id).or_default().push(entry);
        let mut gap = self.gap.lock().unwrap();
        gap.longest = gap.longest.max(gap.last.elapsed());
        gap.last = Instant::now();
    }
}

/// Traffic without and with `wait_replicas`. Every client has been served. No call fails only because the machine
/// is busy.
pub(crate) async fn plain_and_replicated(url: &str) -> [Arc<Traffic>; 2] {
    const WAIT: Duration = Duration::from_secs(10);
    let plain = || RedisStore::builder(url).connect_timeout(WAIT).response_timeout(2 * WAIT);
    let replicated = plain().max_connections(4).wait_replicas(1, WAIT);
    let all = [plain(), replicated].map(|store| Traffic::begin(store.build().unwrap()));
    for traffic in &all {
        traffic.succeeds(20).await;
    }
    all
}

/// Stops both after a failover and checks three things: calls failed only during the disruption, traffic with
/// `wait_replicas` lost nothing, and the other traffic lost nothing that was acknowledged afterwards. Returns what
/// that lost.
pub(crate) async fn check_failover(plain: &Traffic, replicated: &Traffic) -> Vec<Acknowledged> {
    let (lost, errors) = plain.end().await;
    assert_only_during_disruption(&errors);
    let (summary, lost_count) = (plain.summary(), lost.len());
    eprintln!(
        "without wait_replicas: {summary}, {} errors, {lost_count} lost by the engine",
        errors.len()
    );
    for Acknowledged { phase, .. } in &lost {
        assert!(*phase < Phase::After, "{lost:?}");
    }
    let (lost_by_replicated, errors) = replicated.end().await;
    assert_only_during_disruption(&errors);
    eprintln!("with wait_replicas: {}, {} errors", replicated.summary(), errors.len());
    assert!(lost_by_replicated.is_empty(), "{lost_by_replicated:?}");
    lost
}

fn assert_only_during_disruption(errors: &[(Phase, Phase, String)]) {
    for (began, ended, error) in errors {
        let is_during = *began < Phase::After && *ended > Phase::Before;
        assert!(is_during, "{began:?} to {ended:?}: {error}\n{errors:#?}");
    }
}
