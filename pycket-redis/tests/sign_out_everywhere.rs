//! Users on two application servers who sign out everywhere while their devices go on working.

use std::sync::Arc;

use pycket_core::SessionStore;
use pycket_redis::RedisStore;
use pycket_testkit::servers::Server;
use pycket_testkit::sign_out_everywhere;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_outlives_a_sign_out_everywhere() {
    let server = Server::redis();
    let store = || Arc::new(RedisStore::new(&server.url()).unwrap()) as Arc<dyn SessionStore>;
    sign_out_everywhere([store(), store()]).await;
}
