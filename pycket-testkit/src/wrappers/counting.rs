use std::mem;
use std::sync::{Arc, Mutex, MutexGuard};

use pycket_core::{Changes, Creation, Error, Loaded, Record, SessionId, SessionStore, Ttl, Update};

/// A store that counts the calls and passes them on.
#[derive(Debug)]
pub struct CountingStore {
    inner: Arc<dyn SessionStore>,
    calls: Mutex<Calls>,
}

/// How often each method was called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Calls of `create`.
    pub create: usize,
    /// Calls of `load`.
    pub load: usize,
    /// Calls of `update`.
    pub update: usize,
    /// Calls of `delete`.
    pub delete: usize,
}

impl CountingStore {
    /// Counts the calls of `inner`.
    pub fn new(inner: Arc<dyn SessionStore>) -> Self {
        Self { inner, calls: Mutex::default() }
    }

    /// The calls since the last call of this method.
    pub fn take(&self) -> Calls {
        mem::take(&mut self.calls())
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().expect("no panic while it is locked")
    }

    async fn around<T>(&self, method: &str, call: impl Future<Output = T>) -> T {
        match method {
            "create" => self.calls().create += 1,
            "load" => self.calls().load += 1,
            "update" => self.calls().update += 1,
            _ => self.calls().delete += 1,
        }
        call.await
    }
}

super::impl_session_store!(CountingStore);
