//! Visitors of a busy site, who remember what they were told: they arrive, write, sign in and leave.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use pycket_core::{Error, Outcome};
use tokio::task::JoinSet;

use crate::*;

const VISITORS: usize = 6;
const SESSIONS_EACH: usize = 4;

/// What happens to the servers meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Before,
    Trouble,
    After,
}

/// Something that a visitor was told is done.
#[derive(Clone, Debug)]
pub(crate) struct Promise {
    /// Under which id it has to be found.
    id: SessionId,
    /// The name that was written; `None` if nothing may be found: it was destroyed, or has another id.
    name: Option<String>,
    /// When the call began that stored it, and under which id.
    pub(crate) phase: Phase,
    pub(crate) stored: SessionId,
}

/// How often they were told that it is done.
#[derive(Default)]
struct Done {
    /// In each phase.
    calls: [AtomicUsize; 3],
    logins: AtomicUsize,
}

/// The longest time in which nobody was told that a write is done.
struct Silence {
    last: Instant,
    longest: Duration,
}

pub(crate) struct Traffic {
    manager: SessionManager,
    phase: Mutex<Phase>,
    is_over: AtomicBool,
    promises: Mutex<Vec<Promise>>,
    /// In which phase the call began, and in which it ended.
    errors: Mutex<Vec<(Phase, Phase, String)>>,
    done: [Done; VISITORS],
    silence: Mutex<Silence>,
    visitors: OnceLock<Mutex<JoinSet<()>>>,
}

impl Traffic {
    pub(crate) fn begin(store: RedisStore) -> Arc<Self> {
        let traffic = Arc::new(Self {
            manager: manager(store),
            phase: Mutex::new(Phase::Before),
            is_over: AtomicBool::new(false),
            promises: Mutex::default(),
            errors: Mutex::default(),
            done: Default::default(),
            silence: Mutex::new(Silence { last: Instant::now(), longest: Duration::ZERO }),
            visitors: OnceLock::new(),
        });
        let mut visitors = JoinSet::new();
        for visitor in 0..VISITORS {
            visitors.spawn(traffic.clone().visit(visitor));
        }
        _ = traffic.visitors.set(Mutex::new(visitors));
        traffic
    }

    pub(crate) fn enter(&self, phase: Phase) {
        *self.phase.lock().unwrap() = phase;
    }

    /// Waits until every visitor has succeeded so often from now on, in this phase.
    pub(crate) async fn succeeds(&self, times: usize) {
        let phase = self.phase() as usize;
        let calls = |visitor: usize| self.done[visitor].calls[phase].load(Ordering::SeqCst);
        let before: Vec<_> = (0..VISITORS).map(calls).collect();
        operator::until("the visitors are served", || {
            before.iter().enumerate().all(|(visitor, before)| calls(visitor) >= before + times)
        })
        .await;
    }

    /// Ends it; what was promised and is not so, and the errors.
    pub(crate) async fn end(&self) -> (Vec<Promise>, Vec<(Phase, Phase, String)>) {
        self.is_over.store(true, Ordering::SeqCst);
        let visitors = std::mem::take(&mut *self.visitors.get().unwrap().lock().unwrap());
        visitors.join_all().await;
        let promises = self.promises.lock().unwrap().clone();
        let mut broken = Vec::new();
        for promise in promises {
            let session = self.manager.open(Some(promise.id)).await.unwrap();
            let is_kept = match &promise.name {
                Some(name) => session.contains(name),
                None => session.is_new(),
            };
            if !is_kept {
                broken.push(promise);
            }
        }
        (broken, self.errors.lock().unwrap().clone())
    }

    /// What they were told, in a line.
    pub(crate) fn summary(&self) -> String {
        let logins: usize = self.done.iter().map(|done| done.logins.load(Ordering::SeqCst)).sum();
        let promises = self.promises.lock().unwrap().len();
        let silence = self.silence.lock().unwrap().longest;
        format!("{promises} promises, {logins} logins, longest without a write {silence:.1?}")
    }

    fn phase(&self) -> Phase {
        *self.phase.lock().unwrap()
    }

    async fn visit(self: Arc<Self>, visitor: usize) {
        let mut ids = Vec::new();
        for step in 0.. {
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            let phase = self.phase();
            let next = step % SESSIONS_EACH;
            let outcome = if ids.len() < SESSIONS_EACH {
                self.arrive(phase).await.map(|id| ids.push(id))
            } else if step % 8 == 0 {
                self.come_and_go(phase).await
            } else if step % 8 == 3 {
                self.log_in(visitor, phase, &mut ids[step / 8 % SESSIONS_EACH], step).await
            } else {
                self.write(phase, ids[next], step).await
            };
            match outcome {
                Ok(()) => {
                    _ = self.done[visitor].calls[phase as usize].fetch_add(1, Ordering::SeqCst)
                }
                Err(error) => {
                    assert!(error.is_transient(), "{error:?}");
                    let error = format!("{error:?}");
                    self.errors.lock().unwrap().push((phase, self.phase(), error));
                }
            }
        }
    }

    async fn arrive(&self, phase: Phase) -> Result<SessionId, Error> {
        let session = self.manager.open(None).await?;
        session.set("arrived", "yes")?;
        session.commit().await?;
        let id = session.id().unwrap();
        self.promise(id, Some("arrived".to_owned()), phase);
        Ok(id)
    }

    async fn write(&self, phase: Phase, id: SessionId, step: usize) -> Result<(), Error> {
        let session = self.manager.open(Some(id)).await?;
        if session.is_new() {
            // Its arrival was lost; that is found out in the end.
            return Ok(());
        }
        let name = format!("step {step}");
        session.set(&name, "done")?;
        if session.commit().await? == Outcome::Updated {
            self.promise(id, Some(name), phase);
        }
        Ok(())
    }

    /// Gets another id, while another request is under way with the one before.
    async fn log_in(
        &self,
        visitor: usize,
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
        let found = session.keys();
        let name = format!("login {step}");
        session.set(&name, "done")?;
        session.cycle_id();
        let told = session.commit().await;
        // The one that works, whatever it was told.
        *id = session.id().unwrap_or(old);
        for promise in self.promises.lock().unwrap().iter_mut().filter(|promise| promise.id == old)
        {
            promise.id = *id;
            // What was lost before is not stored again.
            if told.is_ok() && promise.name.as_ref().is_some_and(|name| found.contains(name)) {
                (promise.phase, promise.stored) = (phase, *id);
            }
        }
        if told? == Outcome::Rotated {
            self.done[visitor].logins.fetch_add(1, Ordering::SeqCst);
            self.promise(old, None, phase);
            self.promise(*id, Some(name), phase);
            // Whoever comes too late must not bring it back.
            late.set("late", "yes")?;
            assert_ne!(late.commit().await?, Outcome::Created);
        }
        Ok(())
    }

    /// Arrives and leaves for good, while another request is under way.
    async fn come_and_go(&self, phase: Phase) -> Result<(), Error> {
        let id = self.arrive(phase).await?;
        let session = self.manager.open(Some(id)).await?;
        let late = self.manager.open(Some(id)).await?;
        if session.is_new() || late.is_new() {
            return Ok(());
        }
        // Unless it is told otherwise, it may or may not be there from now on.
        self.promises.lock().unwrap().retain(|promise| promise.id != id);
        session.destroy();
        session.commit().await?;
        self.promise(id, None, phase);
        // Whoever comes too late must not bring it back.
        late.set("late", "yes")?;
        assert_ne!(late.commit().await?, Outcome::Created);
        Ok(())
    }

    fn promise(&self, id: SessionId, name: Option<String>, phase: Phase) {
        self.promises.lock().unwrap().push(Promise { id, name, phase, stored: id });
        let mut silence = self.silence.lock().unwrap();
        silence.longest = silence.longest.max(silence.last.elapsed());
        silence.last = Instant::now();
    }
}

/// Ends both after a failover: there were errors only in the trouble, and who waited for replicas has lost
/// nothing. What the other one has lost, which is nothing that was promised afterwards.
pub(crate) async fn end_of_failover(plain: &Traffic, careful: &Traffic) -> Vec<Promise> {
    let (lost, errors) = plain.end().await;
    assert_only_in_trouble(&errors);
    let (summary, lost_count) = (plain.summary(), lost.len());
    eprintln!(
        "without waiting: {summary}, {} errors, {lost_count} lost by the engine",
        errors.len()
    );
    for Promise { phase, .. } in &lost {
        assert!(*phase < Phase::After, "{lost:?}");
    }
    let (lost_by_careful, errors) = careful.end().await;
    assert_only_in_trouble(&errors);
    eprintln!("waiting: {}, {} errors", careful.summary(), errors.len());
    assert!(lost_by_careful.is_empty(), "{lost_by_careful:?}");
    lost
}

fn assert_only_in_trouble(errors: &[(Phase, Phase, String)]) {
    for (began, ended, error) in errors {
        assert!(*began < Phase::After && *ended > Phase::Before, "{began:?} to {ended:?}: {error}");
    }
}
