use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pycket_core::SessionStore;

use crate::ManualClock;

/// What the suite must know of a driver: how to open it, whose time it keeps, and how it fails.
///
/// There is nothing to switch off. Every case runs against every driver; the two answers that differ
/// between drivers, [`time`](Self::time) and [`unreachable`](Self::unreachable), choose how a case looks
/// at the store, never whether it does.
#[async_trait]
pub trait Harness: Send + Sync {
    /// A handle of its own on `namespace`: up to 64 ASCII letters, digits and `-`.
    ///
    /// Opening one namespace twice stands for two servers of one application: the same records, but
    /// nothing else in common, so a driver of a network store makes a new connection each time. Two
    /// namespaces have no record in common. Every case comes with a namespace that was never used, so
    /// nothing needs to be flushed.
    ///
    /// It may panic if the store cannot be opened: the case then fails with that message.
    async fn open(&self, namespace: &str) -> Arc<dyn SessionStore>;

    /// Whose time decides when a record of this driver is out of time.
    fn time(&self) -> Time;

    /// A handle on a store that is surely not there, such as a port of this machine where nobody
    /// listens; opened without connecting, as an application must start before its store does.
    ///
    /// `None` declares that there is nothing to be reached, because the records live in this process.
    /// That too is tested: such a driver must work where there is no network.
    async fn unreachable(&self) -> Option<Arc<dyn SessionStore>>;
}

/// Whose time decides when a record is out of time.
#[derive(Clone, Debug)]
pub enum Time {
    /// The store's own, which nobody can set. The suite waits for short lives to pass.
    Real,
    /// The clock that was handed to the driver. The suite turns it and waits for nothing.
    ///
    /// It must be the clock of this harness alone: cases run at the same time.
    Manual(ManualClock),
}

impl Time {
    /// Lets so much time pass: waits for it, or turns the clock.
    pub async fn pass(&self, duration: Duration) {
        match self {
            Self::Real => tokio::time::sleep(duration).await,
            Self::Manual(clock) => clock.advance(duration),
        }
    }
}
