//! A service that returns an error instead of a response.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use std::io::Write;
use std::sync::{Arc, Mutex};

use http::header::COOKIE;
use http::{Request, Response};
use pycket_axum::{SessionHandle, SessionLayer};
use pycket_cookie::{CookieSettings, KeyRing, SessionCookie};
use pycket_core::{MemoryStore, SessionManager};
use pycket_testkit::{Fault, FaultyStore};
use tower::{Layer, Service, service_fn};

#[derive(Clone, Default)]
struct Journal(Arc<Mutex<Vec<u8>>>);

impl Write for Journal {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn failed_logout_is_logged_if_the_service_has_no_response() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let manager = SessionManager::new(store.clone());
    let session = manager.open(None).await.unwrap();
    session.set("user", "ann").unwrap();
    session.commit().await.unwrap();

    let handler = service_fn(|request: Request<()>| async move {
        let handle = request.extensions().get::<SessionHandle>().unwrap();
        handle.session().await.unwrap().destroy();
        Err::<Response<&'static str>, _>("the service is broken")
    });
    let keys = KeyRing::generate();
    let cookie = SessionCookie::new(CookieSettings::default(), &keys);
    let set_cookie = cookie.issue(&session.id().unwrap(), session.expires_in().unwrap());
    let request = Request::builder().header(COOKIE, set_cookie.split(';').next().unwrap());

    let journal = Journal::default();
    let writer = journal.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    store.fail_nth(1, Fault::Before);
    let mut app = SessionLayer::builder(manager).keys(keys).build().unwrap().layer(handler);
    assert_eq!(app.call(request.body(()).unwrap()).await.unwrap_err(), "the service is broken");

    let journal = String::from_utf8(journal.0.lock().unwrap().clone()).unwrap();
    assert!(journal.contains("the store is down"), "{journal}");
}
