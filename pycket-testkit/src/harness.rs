use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pycket_core::{SessionId, SessionStore};

use crate::ManualClock;

/// What the suite needs to know about a driver: how to open it, which clock it uses, and how it fails.
///
/// No case can be switched off. The answers to [`time`](Self::time) and [`unreachable`](Self::unreachable)
/// decide how a case checks the store, never whether it does. Four hooks are optional, because the suite cannot
/// do by itself what they do.
#[async_trait]
pub trait Harness: Send + Sync {
    /// A new handle on `namespace`: up to 64 ASCII letters, digits and `-`.
    ///
    /// Two handles of one namespace stand for two servers of one application. They share the records and
    /// nothing else, so a driver of a network store opens a new connection each time. Two namespaces share
    /// no record. Every case uses a new namespace, so nothing needs to be flushed.
    ///
    /// It may panic if the store cannot be opened: the case then fails with that message.
    async fn open(&self, namespace: &str) -> Arc<dyn SessionStore>;

    /// Which clock decides when a record of this driver has expired.
    fn time(&self) -> Time;

    /// A handle on a store that cannot be reached, such as a loopback port on which nothing listens. Opening
    /// it does not connect, because an application may start before its store does.
    ///
    /// `None` declares that the driver reaches nothing, because its records are in this process. The
    /// suite tests that too: such a driver must work without a network.
    async fn unreachable(&self) -> Option<Arc<dyn SessionStore>>;

    /// A handle on a server that refuses some or all calls, for example because of a missing permission or a
    /// constraint of the table. The suite checks that what the server says about the call shows no secret.
    ///
    /// Optional, like the hooks below: `None`, the default, leaves this to your own tests.
    async fn refusing(&self) -> Option<Arc<dyn SessionStore>> {
        None
    }

    /// Makes other updates of the record wait until the answer is dropped: holds the lock that an update takes, for
    /// example that of the row (`SELECT … FOR UPDATE`). The suite checks that an update which waits does not bring
    /// back a record that ended meanwhile.
    async fn hold(&self, _namespace: &str, _id: &SessionId) -> Option<Box<dyn Any + Send>> {
        None
    }

    /// Damages the stored record of `id`, for example by an unknown version, and returns `true`. The suite
    /// checks that every call reports it and that a delete removes it.
    async fn corrupt(&self, _namespace: &str, _id: &SessionId) -> bool {
        false
    }

    /// How many rows, items or keys the namespace has, in all tables. The suite checks that deleted records
    /// leave none.
    async fn records(&self, _namespace: &str) -> Option<usize> {
        None
    }
}

/// Which clock decides when a record has expired.
#[derive(Clone, Debug)]
pub enum Time {
    /// The store's own clock, which cannot be set. The suite waits until short ttls have passed.
    Real,
    /// The clock that the driver was given. The suite advances it and does not wait.
    ///
    /// Each harness needs its own clock: cases run at the same time.
    Manual(ManualClock),
}

impl Time {
    /// Lets so much time pass: waits, or advances the clock.
    pub async fn pass(&self, duration: Duration) {
        match self {
            Self::Real => tokio::time::sleep(duration).await,
            Self::Manual(clock) => clock.advance(duration),
        }
    }
}
