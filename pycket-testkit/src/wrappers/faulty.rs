use std::sync::{Arc, Mutex, MutexGuard};

use pycket_core::{
    Changes, Creation, Error, ErrorKind, Loaded, Record, SessionId, SessionStore, Ttl, Update,
};

/// A store whose n-th call fails, before or after it took effect.
#[derive(Debug)]
pub struct FaultyStore {
    inner: Arc<dyn SessionStore>,
    plan: Mutex<Plan>,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call does not happen, and the error says so ([`ErrorKind::Unavailable`]).
    Before,
    /// The call does not happen, but the error does not tell ([`ErrorKind::Ambiguous`]).
    Lost,
    /// The call happens, but its answer is lost ([`ErrorKind::Ambiguous`]).
    After,
}

#[derive(Debug, Default)]
struct Plan {
    calls: usize,
    faults: Vec<(usize, Fault)>,
    down: bool,
}

impl FaultyStore {
    /// Passes every call on to `inner` until a fault is planned.
    pub fn new(inner: Arc<dyn SessionStore>) -> Self {
        Self { inner, plan: Mutex::default() }
    }

    /// Makes the n-th call from now on fail; the next call is number 0.
    pub fn fail_nth(&self, n: usize, fault: Fault) {
        let mut plan = self.plan();
        let nth = plan.calls + n;
        plan.faults.push((nth, fault));
    }

    /// Makes every call fail before it takes effect.
    pub fn take_down(&self) {
        self.plan().down = true;
    }

    /// Removes every fault: from now on all calls are passed on.
    pub fn heal(&self) {
        let mut plan = self.plan();
        plan.faults.clear();
        plan.down = false;
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.plan().calls
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().expect("no panic while it is locked")
    }

    fn next(&self) -> Option<Fault> {
        let mut plan = self.plan();
        let call = plan.calls;
        plan.calls += 1;
        let planned = plan.faults.iter().find(|(nth, _)| *nth == call).map(|(_, fault)| *fault);
        planned.or(plan.down.then_some(Fault::Before))
    }

    async fn around<T>(
        &self,
        _method: &str,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let lost = || Err(Error::new(ErrorKind::Ambiguous, "the answer of the store is lost"));
        match self.next() {
            None => call.await,
            Some(Fault::Before) => Err(Error::new(ErrorKind::Unavailable, "the store is down")),
            Some(Fault::Lost) => lost(),
            Some(Fault::After) => call.await.and_then(|_| lost()),
        }
    }
}

super::impl_session_store!(FaultyStore);
