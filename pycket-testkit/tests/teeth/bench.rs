use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use pycket_core::{Clock, SessionStore, SystemClock};
use pycket_testkit::{Harness, ManualClock, Time};

use crate::fault::Fault;
use crate::outage::Outage;
use crate::store::Store;
use crate::table::Table;

/// Opens handles on a store with one fault, or none.
pub(crate) struct Bench {
    fault: Option<Fault>,
    time: Time,
    clock: Arc<dyn Clock>,
    tables: Mutex<HashMap<String, Arc<Mutex<Table>>>>,
}

impl Bench {
    pub(crate) fn new(fault: Option<Fault>) -> Self {
        let clock = ManualClock::new();
        let time = Time::Manual(clock.clone());
        Self { fault, time, clock: Arc::new(clock), tables: Mutex::default() }
    }

    pub(crate) fn in_real_time(fault: Option<Fault>) -> Self {
        let clock = Arc::new(SystemClock::new());
        Self { fault, time: Time::Real, clock, tables: Mutex::default() }
    }
}

#[async_trait]
impl Harness for Bench {
    async fn open(&self, namespace: &str) -> Arc<dyn SessionStore> {
        let new = || Arc::new(Mutex::new(Table::new(self.fault)));
        let shared = if self.fault == Some(Fault::KeysLackTheNamespace) { "" } else { namespace };
        let table = match self.fault {
            Some(Fault::HandlesShareNothing) => new(),
            _ => self.tables.lock().unwrap().entry(shared.to_owned()).or_insert_with(new).clone(),
        };
        Arc::new(Store {
            fault: self.fault,
            namespace: namespace.to_owned(),
            table,
            clock: self.clock.clone(),
            answers: Mutex::default(),
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
}
