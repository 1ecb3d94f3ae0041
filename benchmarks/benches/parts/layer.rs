use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, header};
use divan::Bencher;
use pycket_axum::{SessionHandle, SessionLayer};
use pycket_cookie::{CookieSettings, KeyRing, SessionCookie};
use pycket_core::{MemoryStore, SessionId, SessionStore, Ttl};
use tower::{Layer, Service, service_fn};

use crate::no_store::{NoStore, small};
use crate::ready;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What a handler does with the session.
#[derive(Clone, Copy, Debug)]
enum Use {
    Untouched,
    Read,
    Write,
}

const USES: [Use; 3] = [Use::Untouched, Use::Read, Use::Write];

/// The same request without a layer. The difference to the others is the cost of the layer.
#[divan::bench]
fn no_layer(bencher: Bencher<'_, '_>) {
    let mut service =
        service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::empty())));
    bencher.with_inputs(|| request("")).bench_local_values(|request| ready(service.call(request)));
}

#[divan::bench(args = USES)]
fn on_no_store(bencher: Bencher<'_, '_>, usage: &Use) {
    through(bencher, *usage, Arc::new(NoStore::new()), SessionId::generate());
}

#[divan::bench(args = USES)]
fn on_memory(bencher: Bencher<'_, '_>, usage: &Use) {
    let (store, id) = (MemoryStore::new(), SessionId::generate());
    let _ = ready(store.create(&id, &small(), Ttl::try_from(DAY).unwrap())).unwrap();
    through(bencher, *usage, Arc::new(store), id);
}

fn through(bencher: Bencher<'_, '_>, usage: Use, store: Arc<dyn SessionStore>, id: SessionId) {
    let keys = KeyRing::generate();
    let cookie = SessionCookie::new(CookieSettings::default(), &keys);
    let set_cookie = cookie.issue(&id, DAY);
    let sent_back = set_cookie.split(';').next().unwrap_or_default();
    let layer = SessionLayer::builder(store).keys(keys).build().unwrap();
    let mut service = layer.layer(service_fn(move |request| handle(usage, request)));
    bencher
        .with_inputs(|| request(sent_back))
        .bench_local_values(|request| ready(service.call(request)).unwrap());
}

async fn handle(usage: Use, request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let handle = request.extensions().get::<SessionHandle>().unwrap();
    match usage {
        Use::Untouched => {}
        Use::Read => {
            let session = handle.session().await.unwrap();
            assert!(session.get::<u64>("visits").unwrap().is_some());
        }
        Use::Write => {
            let session = handle.session().await.unwrap();
            let visits = session.get_or("visits", 0_u64).unwrap();
            session.set("visits", &(visits + 1)).unwrap();
        }
    }
    Ok(Response::new(Body::empty()))
}

fn request(cookie: &str) -> Request<Body> {
    Request::builder().header(header::COOKIE, cookie).body(Body::empty()).unwrap()
}
