//! Services and middleware that are not axum handlers.

use std::convert::Infallible;
use std::future::Ready;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request as AxumRequest;
use axum::middleware::{Next, from_fn};
use axum::response::Response as AxumResponse;
use axum::routing::get;
use futures_util::FutureExt;
use http::header::{COOKIE, SET_COOKIE, VARY};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use pycket_axum::{RequireUser, Session, SessionError, SessionHandle, SessionLayer};
use pycket_core::MemoryStore;
use pycket_testkit::{CountingStore, Fault, FaultyStore, ManualClock};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::site::{KEY, Plan, manager};

struct Stores {
    calls: Arc<CountingStore>,
    faults: Arc<FaultyStore>,
    memory: Arc<MemoryStore>,
}

fn layer() -> (Stores, SessionLayer) {
    let memory = Arc::new(MemoryStore::new());
    let faults = Arc::new(FaultyStore::new(memory.clone()));
    let calls = Arc::new(CountingStore::new(faults.clone()));
    let layer = SessionLayer::new(manager(calls.clone(), &ManualClock::new()), KEY).unwrap();
    (Stores { calls, faults, memory }, layer)
}

/// Counts the visits of a client that sends a `GET`; uses no session for other methods.
async fn count<B>(request: Request<B>) -> Result<String, pycket_core::Error> {
    if request.method() != http::Method::GET {
        return Ok("no session".to_owned());
    }
    let session = request.extensions().get::<SessionHandle>().unwrap().session().await?;
    let visits = session.get_or("visits", 0)? + 1;
    session.set("visits", &visits)?;
    Ok(visits.to_string())
}

fn cookie_of<B>(response: &Response<B>) -> String {
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn tower_service_with_byte_bodies_has_sessions() {
    let (stores, layer) = layer();
    let service = layer.layer(service_fn(|request: Request<Full<Bytes>>| async move {
        let counted = count(request).await.unwrap();
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(counted))))
    }));
    let send = |method, cookie: &str| {
        let request = Request::builder().method(method).header(COOKIE, cookie);
        service.clone().oneshot(request.body(Full::default()).unwrap())
    };
    let first = send("GET", "").await.unwrap();
    let cookie = cookie_of(&first);
    let second = send("GET", &cookie).await.unwrap();
    assert_eq!(second.headers()[VARY], "cookie");
    assert_eq!(second.into_body().collect().await.unwrap().to_bytes(), "2");

    stores.calls.take();
    let untouched = send("POST", &cookie).await.unwrap();
    assert!(untouched.headers().is_empty());
    assert_eq!(stores.calls.take(), Default::default());

    stores.faults.fail_nth(1, Fault::Before);
    let failed = send("GET", &cookie).await.unwrap();
    assert_eq!(failed.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body = failed.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "the session store is not available\n");
}

#[tokio::test]
async fn tower_service_with_text_bodies_has_sessions() {
    let (_, layer) = layer();
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        Ok::<_, Infallible>(Response::new(count(request).await.unwrap()))
    }));
    let first = service.clone().oneshot(Request::new(())).await.unwrap();
    let again = Request::get("/").header(COOKIE, cookie_of(&first)).body(()).unwrap();
    assert_eq!(service.oneshot(again).await.unwrap().into_body().into_inner().unwrap(), "2");
}

#[tokio::test]
async fn service_error_is_returned_and_only_a_destroy_is_committed() {
    let (stores, layer) = layer();
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        if request.uri() == "/visit" {
            return Ok(Response::new(count(request).await.unwrap()));
        }
        let session = request.extensions().get::<SessionHandle>().unwrap().session().await.unwrap();
        session.set("age", &30).unwrap();
        if request.uri() == "/logout" {
            session.destroy();
        }
        Err("the service's own error")
    }));
    let send = |path, cookie: &str| {
        let request = Request::get(path).header(COOKIE, cookie).body(()).unwrap();
        service.clone().oneshot(request)
    };
    assert_eq!(send("/", "").await.unwrap_err(), "the service's own error");
    assert!(stores.memory.is_empty());

    let cookie = cookie_of(&send("/visit", "").await.unwrap());
    assert_eq!(send("/logout", &cookie).await.unwrap_err(), "the service's own error");
    assert!(stores.memory.is_empty());
}

/// A service that is never ready for a request.
#[derive(Clone)]
struct Busy;

impl Service<Request<Body>> for Busy {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Pending
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        panic!("it is called before it is ready");
    }
}

#[test]
fn layer_and_guard_are_not_ready_before_the_service_inside_is() {
    let (_, layer) = layer();
    assert!(layer.layer(Busy).ready().now_or_never().is_none());
    assert!(RequireUser::or_401().layer(Busy).ready().now_or_never().is_none());
}

#[tokio::test]
async fn middleware_and_handler_share_the_session() {
    async fn signed_in(session: Session, request: AxumRequest, next: Next) -> AxumResponse {
        let response = next.run(request).await;
        let seen_by_handler = session.get_or("seen", false).unwrap();
        session.set("signed", &seen_by_handler).unwrap();
        response
    }
    async fn handler(session: Session) -> Result<(), SessionError> {
        Ok(session.set("seen", &true)?)
    }
    let routes = Router::new().route("/both", get(handler)).layer(from_fn(signed_in));
    let site = Plan::with(routes).open();
    let cookie = site.client().await;
    assert_eq!(site.get("/both", &cookie).await.status, StatusCode::OK);
    let calls = site.calls.take();
    assert_eq!((calls.load, calls.update), (1, 1));
    assert_eq!(site.names(&cookie).await, "seen,signed,user");
}
