use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use pycket_core::{
    Changes, Creation, Error, ErrorKind, Loaded, Record, SessionId, SessionStore, Ttl, Update,
};

/// A store whose calls fail on command: the n-th call, before or after it took effect.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use std::sync::Arc;
/// use pycket_core::{ErrorKind, MemoryStore, SessionId, SessionStore};
/// use pycket_testkit::{Fault, FaultyStore};
///
/// let store = FaultyStore::new(Arc::new(MemoryStore::new()));
/// store.fail_nth(1, Fault::Before);
/// assert!(store.load(&SessionId::generate()).await.is_ok());
/// let error = store.load(&SessionId::generate()).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Unavailable);
/// # }
/// ```
#[derive(Debug)]
pub struct FaultyStore {
    inner: Arc<dyn SessionStore>,
    plan: Mutex<Plan>,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not happen, and the caller is told so ([`ErrorKind::Unavailable`]).
    Before,
    /// It does not happen, but the caller cannot know ([`ErrorKind::Ambiguous`]).
    Lost,
    /// It happens, but the answer is lost ([`ErrorKind::Ambiguous`]).
    After,
}

#[derive(Debug, Default)]
struct Plan {
    calls: usize,
    faults: Vec<(usize, Fault)>,
    down: bool,
}

impl FaultyStore {
    /// Passes every call on to `inner` until told otherwise.
    pub fn new(inner: Arc<dyn SessionStore>) -> Self {
        Self { inner, plan: Mutex::default() }
    }

    /// Makes the n-th call from now on fail, the next one being number 0.
    pub fn fail_nth(&self, n: usize, fault: Fault) {
        let mut plan = self.plan();
        let nth = plan.calls + n;
        plan.faults.push((nth, fault));
    }

    /// Makes every call fail before it takes effect.
    pub fn take_down(&self) {
        self.plan().down = true;
    }

    /// Takes back every fault: from now on all calls are passed on.
    pub fn heal(&self) {
        let mut plan = self.plan();
        plan.faults.clear();
        plan.down = false;
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.plan().calls
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.plan.lock().expect("no test panics while it holds the plan")
    }

    fn next(&self) -> Option<Fault> {
        let mut plan = self.plan();
        let call = plan.calls;
        plan.calls += 1;
        let planned = plan.faults.iter().find(|(nth, _)| *nth == call).map(|(_, fault)| *fault);
        planned.or(plan.down.then_some(Fault::Before))
    }

    async fn call<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        match self.next() {
            None => call.await,
            Some(Fault::Before) => Err(Error::new(ErrorKind::Unavailable, "the store is down")),
            Some(Fault::Lost) => Err(lost()),
            Some(Fault::After) => {
                call.await?;
                Err(lost())
            }
        }
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::Ambiguous, "the answer of the store is lost")
}

#[async_trait]
impl SessionStore for FaultyStore {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        self.call(self.inner.create(id, record, ttl)).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        self.call(self.inner.load(id)).await
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        self.call(self.inner.update(id, changes, ttl)).await
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        self.call(self.inner.delete(id)).await
    }
}
