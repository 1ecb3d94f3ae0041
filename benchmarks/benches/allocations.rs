#![expect(clippy::unwrap_used, reason = "a failure ends the benchmark")]
#![expect(clippy::print_stdout, reason = "the program reports on standard output")]
//! The allocations that a session adds to a request, with a store that does no work.

#[path = "parts/no_store.rs"]
mod no_store;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use allocation_counter::AllocationInfo;
use axum::body::Body;
use axum::http::{Request, Response, header};
use pycket_axum::{SessionHandle, SessionLayer};
use pycket_cookie::{CookieSettings, KeyRing, SessionCookie};
use pycket_core::{SessionId, SessionManager};
use tower::{Layer, Service, service_fn};

/// What a handler does with the session.
#[derive(Clone, Copy, Debug)]
enum Use {
    Untouched,
    Read,
    Write,
    Login,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    println!("| request | allocations | bytes |\n|---|---:|---:|");
    for usage in [Use::Untouched, Use::Read, Use::Write, Use::Login] {
        let AllocationInfo { count_total, bytes_total, .. } = runtime.block_on(measure(usage));
        println!("| {usage:?} | {count_total} | {bytes_total} |");
    }
}

async fn measure(usage: Use) -> AllocationInfo {
    let keys = KeyRing::generate();
    let cookie = SessionCookie::new(CookieSettings::default(), &keys);
    let set_cookie = cookie.issue(&SessionId::generate(), Duration::from_secs(24 * 60 * 60));
    let sent_back = set_cookie.split(';').next().unwrap_or_default();
    let manager = SessionManager::new(Arc::new(no_store::NoStore::new()));
    let layer = SessionLayer::builder(manager).keys(keys).build().unwrap();
    let mut with = layer.layer(service_fn(move |request| handle(usage, request)));
    let mut without = service_fn(async |request: Request<Body>| answer(request));

    let request =
        || Request::builder().header(header::COOKIE, sent_back).body(Body::empty()).unwrap();
    // The first request initializes the statics of the process.
    with.call(request()).await.unwrap();
    let (first, second) = (request(), request());
    let session = count(|| with.call(first));
    let bare = count(|| without.call(second));
    AllocationInfo {
        count_total: session.count_total - bare.count_total,
        bytes_total: session.bytes_total - bare.bytes_total,
        ..session
    }
}

fn count<F: Future>(call: impl FnOnce() -> F) -> AllocationInfo {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    allocation_counter::measure(|| {
        let mut answer = std::pin::pin!(call());
        assert!(answer.as_mut().poll(&mut context).is_ready());
    })
}

async fn handle(usage: Use, request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let handle = request.extensions().get::<SessionHandle>().unwrap();
    if !matches!(usage, Use::Untouched) {
        let session = handle.session().await.unwrap();
        let visits = session.get_or("visits", 0_u64).unwrap();
        if !matches!(usage, Use::Read) {
            session.set("visits", &(visits + 1)).unwrap();
        }
        if matches!(usage, Use::Login) {
            session.cycle_id();
        }
    }
    answer(request)
}

fn answer(_: Request<Body>) -> Result<Response<Body>, Infallible> {
    Ok(Response::new(Body::empty()))
}
