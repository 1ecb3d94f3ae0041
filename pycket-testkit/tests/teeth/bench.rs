use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use pycket_core::{Clock, SessionId, SessionStore, SystemClock};
use pycket_testkit::{Harness, ManualClock, Time};

use crate::fault::Fault;
use crate::outage::{Outage, Refusal};
use crate::store::Store;
use crate::table::Table;

/// Opens handles on a store with one fault, or none.
pub(crate) struct Bench {
    fault: Option<Fault>,
    time: Time,
    clock: Arc<dyn Clock>,
    /// Whether all namespaces are in one table.
    is_shared: bool,
    tables: Mutex<HashMap<String, Arc<Mutex<Table>>>>,
    /// What an update waits for.
    lock: Arc<tokio::sync::Mutex<()>>,
}

impl Bench {
    pub(crate) fn new(fault: Option<Fault>) -> Self {
        let clock = ManualClock::new();
        let time = Time::Manual(clock.clone());
        Self::with(fault, time, Arc::new(clock))
    }

    pub(crate) fn in_real_time(fault: Option<Fault>) -> Self {
        Self::with(fault, Time::Real, Arc::new(SystemClock::new()))
    }

    fn with(fault: Option<Fault>, time: Time, clock: Arc<dyn Clock>) -> Self {
        let (tables, lock) = Default::default();
        Self { fault, time, clock, is_shared: false, tables, lock }
    }

    /// All cases use one table, and real time.
    pub(crate) fn shared(fault: Option<Fault>) -> Self {
        Self { is_shared: true, ..Self::in_real_time(fault) }
    }

    fn table(&self, namespace: &str) -> Arc<Mutex<Table>> {
        let new = || Arc::new(Mutex::new(Table::new(self.fault)));
        let is_shared = self.is_shared || self.fault == Some(Fault::KeysLackTheNamespace);
        let shared = if is_shared { "" } else { namespace };
        match self.fault {
            Some(Fault::HandlesShareNothing) => new(),
            _ => self.tables.lock().unwrap().entry(shared.to_owned()).or_insert_with(new).clone(),
        }
    }
}

#[async_trait]
impl Harness for Bench {
    async fn open(&self, namespace: &str) -> Arc<dyn SessionStore> {
        Arc::new(Store {
            fault: self.fault,
            namespace: namespace.to_owned(),
            table: self.table(namespace),
            clock: self.clock.clone(),
            lock: self.lock.clone(),
            answers: Mutex::default(),
            has_transaction: AtomicBool::default(),
        })
    }

    fn time(&self) -> Time {
        self.time.clone()
    }

    async fn unreachable(&self) -> Option<Arc<dyn SessionStore>> {
        match self.fault {
            Some(Fault::NetworkIsNotDeclared) => None,
            fault => Some(Arc::new(Outage(fault))),
        }
    }

    async fn refusing(&self) -> Option<Arc<dyn SessionStore>> {
        Some(Arc::new(Refusal(self.fault)))
    }

    async fn hold(&self, _: &str, _: &SessionId) -> Option<Box<dyn Any + Send>> {
        Some(Box::new(self.lock.clone().lock_owned().await))
    }

    async fn corrupt(&self, namespace: &str, id: &SessionId) -> bool {
        let key = format!("{namespace}:{}", id.expose());
        self.table(namespace).lock().unwrap().corrupt(&key);
        true
    }

    async fn records(&self, namespace: &str) -> Option<usize> {
        Some(self.table(namespace).lock().unwrap().count(namespace))
    }
}
