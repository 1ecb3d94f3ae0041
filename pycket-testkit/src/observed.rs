use std::sync::Arc;

use pycket_core::{Changes, Creation, Error, Loaded, Record, SessionId, SessionStore, Ttl, Update};
use tokio::sync::RwLock;

use crate::fixtures::Store;
use crate::progress::{Progress, Running};
use crate::wrappers::impl_session_store;

/// Each create holds it for reading.
static CREATES: RwLock<()> = RwLock::const_new(());

tokio::task_local! {
    /// The progress of the case that runs.
    pub(crate) static PROGRESS: Arc<Progress>;

    /// Set while this task holds `CREATES`.
    static HAS_TURN: ();
}

/// Runs a case or a part of it while no other case of this process creates a record. A create may remove expired
/// records, which would hide that a driver does not look at their end.
pub(crate) async fn in_quiet<T>(case: impl Future<Output = T>) -> T {
    let _turn = CREATES.write().await;
    HAS_TURN.scope((), case).await
}

/// Makes a call that may create a record. It waits while another case is in quiet.
pub(crate) async fn in_turn<T>(call: impl Future<Output = T>) -> T {
    if HAS_TURN.try_with(|()| ()).is_ok() {
        return call.await;
    }
    let _turn = CREATES.read().await;
    HAS_TURN.scope((), call).await
}

/// A store of a case. It counts the calls, so that a slow case can say how far it came.
#[derive(Debug)]
struct Observed {
    inner: Store,
    progress: Arc<Progress>,
}

pub(crate) fn observed(inner: Store) -> Store {
    let progress = PROGRESS.try_with(Arc::clone).unwrap_or_default();
    Arc::new(Observed { inner, progress })
}

impl Observed {
    async fn around<T>(&self, method: &'static str, call: impl Future<Output = T>) -> T {
        let call = async {
            let _running = Running::new(&self.progress, method);
            call.await
        };
        if method == "create" { in_turn(call).await } else { call.await }
    }
}

impl_session_store!(Observed);
