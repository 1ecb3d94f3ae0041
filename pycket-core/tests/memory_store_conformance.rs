//! The in-memory store keeps the contract of `SessionStore`.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use pycket_core::{MemoryStore, SessionStore};
use pycket_testkit::{Harness, ManualClock, Time};

/// Two servers of one application are two handles to one store, because memory cannot be shared otherwise.
#[derive(Debug, Default)]
struct InMemory {
    stores: Mutex<HashMap<String, Arc<MemoryStore>>>,
    clock: ManualClock,
}

#[async_trait]
impl Harness for InMemory {
    async fn open(&self, namespace: &str) -> Arc<dyn SessionStore> {
        let mut stores = self.stores.lock().unwrap();
        let new = || Arc::new(MemoryStore::builder().clock(self.clock.clone()).build().unwrap());
        stores.entry(namespace.to_owned()).or_insert_with(new).clone()
    }

    fn time(&self) -> Time {
        Time::Manual(self.clock.clone())
    }

    async fn unreachable(&self) -> Option<Arc<dyn SessionStore>> {
        None
    }
}

pycket_testkit::conformance!(InMemory::default());
