//! A service inside the session layer that abandons the handler, as a timeout does: it responds itself and
//! keeps the unfinished future of the handler.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is a failure")]

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{COOKIE, SET_COOKIE};
use http::{Request, Response, StatusCode};
use pycket_axum::{SessionHandle, SessionLayer};
use pycket_cookie::{CookieSettings, KeyRing, Presented, SessionCookie};
use pycket_core::{MemoryStore, Session, SessionId, SessionManager, SessionStore};
use pycket_testkit::PausingStore;
use tower::{Layer, Service, service_fn};

type Body = &'static str;

struct AbandonedHandler {
    handler: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// The number of polls before it abandons the handler. The first one stops in the load, the second one
    /// in the write of the handler.
    polls_left: usize,
    status: StatusCode,
}

impl Future for AbandonedHandler {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(self.handler.as_mut().poll(context).is_pending(), "the handler must not finish");
        self.polls_left -= 1;
        if self.polls_left > 0 {
            return Poll::Pending;
        }
        let mut response = Response::new("abandoned");
        *response.status_mut() = self.status;
        Poll::Ready(Ok(response))
    }
}

/// The result of a request whose handler was abandoned while it stored something.
struct Abandoned {
    store: Arc<MemoryStore>,
    /// The id in the cookie of the request.
    old: SessionId,
    /// The id in the cookie of the response.
    new: Option<SessionId>,
    status: StatusCode,
}

async fn abandon<W, F>(work: W, status: StatusCode) -> Abandoned
where
    W: FnOnce(Session) -> F + Clone + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let store = Arc::new(MemoryStore::new());
    let session = SessionManager::new(store.clone()).open(None).await.unwrap();
    session.set("user", "ann").unwrap();
    session.commit().await.unwrap();
    let old = session.id().unwrap();

    let handler = service_fn(move |request: Request<()>| {
        let handle = request.extensions().get::<SessionHandle>().unwrap().clone();
        let work = work.clone();
        let handler = Box::pin(async move { work(handle.session().await.unwrap()).await });
        AbandonedHandler { handler, polls_left: 2, status }
    });
    let keys = KeyRing::generate();
    let cookie = SessionCookie::new(CookieSettings::default(), &keys);
    let manager = SessionManager::new(Arc::new(PausingStore::new(store.clone())));
    let mut app = SessionLayer::builder(manager).keys(keys).build().unwrap().layer(handler);

    let sent = cookie.issue(&old, session.expires_in().unwrap());
    let request = Request::builder().header(COOKIE, pair(&sent)).body(()).unwrap();
    let response = finish(app.call(request)).await.unwrap();
    let new = response.headers().get(SET_COOKIE).map(|set_cookie| {
        match cookie.read([pair(set_cookie.to_str().unwrap()).as_bytes()]) {
            Presented::Authentic(signed) => signed.first().unwrap().id,
            other => panic!("{other:?}"),
        }
    });
    Abandoned { store, old, new, status: response.status() }
}

fn pair(set_cookie: &str) -> &str {
    set_cookie.split(';').next().unwrap()
}

/// The output of `work`; fails if it does not finish.
async fn finish<T>(work: impl Future<Output = T>) -> T {
    let mut work = Box::pin(work);
    for _ in 0..100 {
        if let Poll::Ready(result) = poll_fn(|c| Poll::Ready(work.as_mut().poll(c))).await {
            return result;
        }
        tokio::task::yield_now().await;
    }
    panic!("it does not finish");
}

#[tokio::test]
async fn response_does_not_wait_for_a_handler_abandoned_in_its_commit() {
    let work = |session: Session| async move {
        session.set("theme", "dark").unwrap();
        session.commit().await.unwrap();
    };
    let after = abandon(work, StatusCode::REQUEST_TIMEOUT).await;
    assert_eq!(after.status, StatusCode::REQUEST_TIMEOUT);
    let stored = after.store.load(&after.old).await.unwrap().unwrap();
    assert!(stored.record.get("theme").is_some());
}

#[tokio::test]
async fn response_does_not_wait_for_a_handler_abandoned_in_an_update() {
    let work = |session: Session| async move {
        session.set("theme", "dark").unwrap();
        session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await.unwrap();
    };
    let after = abandon(work, StatusCode::REQUEST_TIMEOUT).await;
    assert_eq!(after.status, StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn rotation_of_an_abandoned_handler_still_sets_the_cookie() {
    let work = |session: Session| async move {
        session.cycle_id();
        session.commit().await.unwrap();
    };
    let after = abandon(work, StatusCode::GATEWAY_TIMEOUT).await;
    assert_eq!(after.status, StatusCode::GATEWAY_TIMEOUT);
    assert!(after.store.load(&after.old).await.unwrap().is_none());
    assert!(after.store.load(&after.new.unwrap()).await.unwrap().is_some());
}
