//! Users in memory who sign out everywhere while their devices go on working.

use std::sync::Arc;

use pycket_core::{MemoryStore, SessionStore};
use pycket_testkit::sign_out_everywhere;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_outlives_a_sign_out_everywhere() {
    let store: Arc<dyn SessionStore> = Arc::new(MemoryStore::new());
    sign_out_everywhere([store.clone(), store]).await;
}
