//! Random calls on several handles of one request, with random faults of the store and in random order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use pycket_core::{IdChange, MemoryStore, Session, SessionId, SessionManager, SessionStore};
use pycket_testkit::{Fault, FaultyStore, PausingStore, Task};

use crate::{over, stored};

/// Xorshift: the same seed gives the same numbers, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % 0x8000).unwrap() % sides
    }
}

#[derive(Default)]
struct Journal {
    /// Every id that the session has had.
    ids: Vec<SessionId>,
    destroyed: bool,
    /// The last value that each handle set, by name.
    set: BTreeMap<String, usize>,
}

#[tokio::test]
async fn random_calls_leave_at_most_one_session_with_all_values() {
    for seed in 0..3000 {
        let mut dice = Dice::new(seed);
        let inner = Arc::new(MemoryStore::new());
        let first = stored(&over(inner.clone())).await;
        let faulty = Arc::new(FaultyStore::new(inner.clone()));
        let manager = SessionManager::new(Arc::new(PausingStore::new(faulty.clone())));
        let session = manager.open(Some(first)).await.unwrap();

        for _ in 0..dice.roll(3) {
            let fault = [Fault::Before, Fault::Lost, Fault::After][dice.roll(3)];
            faulty.fail_nth(dice.roll(10), fault);
        }
        let may_destroy = dice.roll(2) == 0;
        let journal = Arc::new(Mutex::new(Journal::default()));
        let mut tasks: Vec<Task> = Vec::new();
        for handle in 0..=dice.roll(3) {
            let acts = (0..=dice.roll(5)).map(|_| dice.roll(if may_destroy { 8 } else { 7 }));
            let acts = acts.collect();
            tasks.push(Box::pin(act(session.clone(), handle, acts, journal.clone())));
        }
        while !tasks.is_empty() {
            let chosen = dice.roll(tasks.len());
            if tasks[chosen].as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                drop(tasks.swap_remove(chosen));
            }
            tokio::task::yield_now().await;
        }

        faulty.heal();
        session.commit().await.unwrap();
        let journal = std::mem::take(&mut *journal.lock().unwrap());
        check(seed, &session, first, &journal, &inner).await;
    }
}

async fn act(session: Session, handle: usize, acts: Vec<usize>, journal: Arc<Mutex<Journal>>) {
    let name = format!("set by {handle}");
    for (step, act) in acts.into_iter().enumerate() {
        match act {
            0 | 1 => {
                session.set(&name, &step).unwrap();
                journal.lock().unwrap().set.insert(name.clone(), step);
            }
            2 => session.cycle_id(),
            3 => drop(session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await),
            4 | 5 => drop(session.commit().await),
            6 => {
                // Dropped at its first store call, if it makes one.
                let mut commit = Box::pin(session.commit());
                let _ = commit.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
            _ => {
                session.destroy();
                journal.lock().unwrap().destroyed = true;
            }
        }
        journal.lock().unwrap().ids.extend(session.id());
    }
}

async fn check(
    seed: u64,
    session: &Session,
    first: SessionId,
    journal: &Journal,
    store: &MemoryStore,
) {
    let id = session.id();
    for known in journal.ids.iter().chain([&first]).filter(|known| Some(**known) != id) {
        assert!(store.load(known).await.unwrap().is_none(), "seed {seed}: an old id is live");
    }
    match session.id_change() {
        IdChange::Unchanged | IdChange::Renewed(_) => assert_eq!(id, Some(first), "seed {seed}"),
        IdChange::Issued(issued) => assert_eq!(id, Some(issued), "seed {seed}"),
        IdChange::Withdrawn => assert!(id.is_none() && journal.destroyed, "seed {seed}"),
        other => unreachable!("seed {seed}: {other:?}"),
    }
    let Some(id) = id else { return };
    let record = store.load(&id).await.unwrap().unwrap().record;
    if !journal.destroyed {
        for (name, last) in &journal.set {
            assert_eq!(record.get(name).unwrap().decode::<usize>().unwrap(), *last, "seed {seed}");
        }
    }
}
