//! A store that hangs: the client waits for each call until the driver gives up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pycket_core::{
    Changes, Creation, Error, ErrorKind, Loaded, Record, SessionId, SessionManager, SessionStore,
    Ttl, Update,
};
use pycket_testkit::ManualClock;

/// A store that answers no call. The caller notices it after two seconds.
#[derive(Debug, Default)]
struct HangingStore {
    clock: ManualClock,
    calls: AtomicUsize,
}

impl HangingStore {
    fn hang<T>(&self) -> Result<T, Error> {
        self.clock.advance(Duration::from_secs(2));
        self.calls.fetch_add(1, Ordering::Relaxed);
        Err(Error::new(ErrorKind::Ambiguous, "no reply in time"))
    }
}

#[async_trait::async_trait]
impl SessionStore for HangingStore {
    async fn create(&self, _: &SessionId, _: &Record, _: Ttl) -> Result<Creation, Error> {
        self.hang()
    }

    async fn load(&self, _: &SessionId) -> Result<Option<Loaded>, Error> {
        self.hang()
    }

    async fn update(&self, _: &SessionId, _: &Changes, _: Option<Ttl>) -> Result<Update, Error> {
        self.hang()
    }

    async fn delete(&self, _: &SessionId) -> Result<Option<Record>, Error> {
        self.hang()
    }
}

/// The client waits for all of them.
#[tokio::test]
async fn a_store_that_hangs_is_asked_no_call_twice() {
    let store = Arc::new(HangingStore::default());
    let manager =
        SessionManager::builder(store.clone()).clock(store.clock.clone()).build().unwrap();
    let session = manager.open(None).await.unwrap();
    session.set("user", "ann").unwrap();
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::Ambiguous);
    let calls = store.calls.load(Ordering::Relaxed);
    assert_eq!(calls, 2, "the record, and the delete of what may be stored");
}
