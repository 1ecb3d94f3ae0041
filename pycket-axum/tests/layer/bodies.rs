//! The layer works for every body, and with the layers of tower-http around and inside it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::{Router, routing};
use http::header::{CONTENT_TYPE, COOKIE};
use http::{Method, Request, Response, StatusCode};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Empty, Full};
use pycket_axum::{Session, SessionBody, SessionError, SessionHandle, SessionLayer};
use pycket_testkit::Fault;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::services::ServeDir;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::site::{Site, manager, request, send};

fn layer(site: &Site) -> SessionLayer {
    site.layer(manager(site.faults.clone(), &site.clock))
}

async fn set(request: Request<Body>) -> Result<(), pycket_core::Error> {
    let handle = request.extensions().get::<SessionHandle>().unwrap();
    handle.session().await?.set("age", &30)
}

/// Sends a request that writes, and returns the text of the body.
async fn write<S, B>(service: S) -> (Response<()>, Bytes)
where
    S: Service<Request<Body>, Response = Response<B>, Error: std::fmt::Debug>,
    B: http_body::Body<Error: std::fmt::Debug>,
{
    let response = service.oneshot(request(Method::POST, "/", "")).await.unwrap();
    let (head, body) = response.into_parts();
    (Response::from_parts(head, ()), body.collect().await.unwrap().to_bytes())
}

/// A handler with a session and this body.
macro_rules! handler {
    ($body:expr) => {
        service_fn(|request: Request<Body>| async move {
            set(request).await.unwrap();
            Ok::<_, Infallible>(Response::new($body))
        })
    };
}

/// Checks the service with a working store, and with one that fails at the write.
macro_rules! check {
    ($name:ident, $layer:ident => $service:expr, $error:expr) => {
        #[tokio::test]
        async fn $name() {
            let site = Site::new();
            let service = |$layer: SessionLayer| $service;
            let (response, body) = write(service(layer(&site))).await;
            assert_eq!((response.status(), &*body), (StatusCode::OK, &b"page"[..]));
            assert_eq!(site.memory.len(), 1);

            site.faults.fail_nth(0, Fault::Before);
            let (response, body) = write(service(layer(&site))).await;
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(std::str::from_utf8(&body).unwrap(), $error);
        }
    };
}

const DOWN: &str = "the session store is not available\n";

check!(full_body, layer => layer.layer(handler!(Full::new(Bytes::from("page")))), DOWN);
check!(hyper_box_body, layer => layer.layer(handler!(boxed())), DOWN);
check!(body_like_that_of_tonic, layer => layer.layer(handler!(tonic_like())), DOWN);
check!(body_whose_data_are_not_bytes, layer => layer.layer(handler!(Chunks::page())), "");
check!(
    trace_layer_inside,
    layer => ServiceBuilder::new().layer(layer).layer(TraceLayer::new_for_http()).service(handler!(boxed())),
    DOWN
);
check!(
    trace_layer_outside,
    layer => ServiceBuilder::new().layer(TraceLayer::new_for_http()).layer(layer).service(handler!(boxed())),
    DOWN
);
check!(
    compression_layer_inside,
    layer => ServiceBuilder::new().layer(layer).layer(CompressionLayer::new()).service(handler!(boxed())),
    DOWN
);
check!(
    compression_layer_outside,
    layer => ServiceBuilder::new().layer(CompressionLayer::new()).layer(layer).service(handler!(boxed())),
    DOWN
);
check!(
    timeout_layer_inside,
    layer => ServiceBuilder::new().layer(layer).layer(timeout()).service(handler!(boxed())),
    DOWN
);
check!(
    timeout_layer_outside_of_a_body_without_a_default,
    layer => ServiceBuilder::new().layer(timeout()).layer(layer).service(handler!(Chunks::page())),
    ""
);
check!(
    catch_panic_layer_inside,
    layer => ServiceBuilder::new().layer(layer).layer(CatchPanicLayer::new()).service(handler!(boxed())),
    DOWN
);
check!(
    catch_panic_layer_outside,
    layer => ServiceBuilder::new().layer(CatchPanicLayer::new()).layer(layer).service(handler!(boxed())),
    DOWN
);
check!(
    session_layer_twice,
    layer => ServiceBuilder::new().layer(layer.clone()).layer(layer).service(handler!(boxed())),
    DOWN
);

fn timeout() -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(60))
}

fn boxed() -> BoxBody<Bytes, Infallible> {
    BoxBody::new(Full::new(Bytes::from("page")))
}

/// `tonic::body::Body` is such a body, with `tonic::Status` as its error.
fn tonic_like() -> UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>> {
    UnsyncBoxBody::new(Full::new(Bytes::from("page")).map_err(Into::into))
}

/// A body whose data are a slice, without a default.
struct Chunks(std::vec::IntoIter<&'static [u8]>);

impl Chunks {
    fn page() -> Self {
        Self(vec![&b"pa"[..], &b"ge"[..]].into_iter())
    }
}

impl http_body::Body for Chunks {
    type Data = &'static [u8];
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Infallible>>> {
        Poll::Ready(self.0.next().map(|chunk| Ok(Frame::data(chunk))))
    }
}

#[tokio::test]
async fn serve_dir_inside_the_layer_serves_files_without_a_session() {
    let site = Site::new();
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("page.txt"), "page").unwrap();
    let files = ServeDir::new(directory.path());
    let bare = layer(&site).layer(files.clone());
    let wrapped = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .layer(CompressionLayer::new())
        .layer(layer(&site))
        .service(files.clone());
    let routed = Router::new().fallback_service(files).layer(layer(&site));
    let cookie = site.client().await;
    let get = || Request::get("/page.txt").header(COOKIE, &cookie).body(Body::empty()).unwrap();
    let expected = Bytes::from("page");
    let body = bare.oneshot(get()).await.unwrap().into_body();
    assert_eq!(body.collect().await.unwrap().to_bytes(), expected);
    let response = wrapped.oneshot(get()).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), expected);
    let response = send(routed, get()).await;
    assert_eq!((&*response.body, response.set_cookies()), ("page", vec![]));
}

#[tokio::test]
async fn axum_router_with_layers_on_both_sides_has_sessions() {
    let site = Site::new();
    let handler = async |session: Session| {
        session.set("age", &30)?;
        Ok::<_, SessionError>("page".repeat(100))
    };
    let layers = || (TraceLayer::new_for_http(), CompressionLayer::new());
    let (trace, compression) = layers();
    let router = Router::new()
        .route("/", routing::post(handler))
        .layer(trace)
        .layer(compression)
        .layer(layer(&site))
        .layer(ServiceBuilder::new().layer(layers().0).layer(layers().1));
    let response = send(router.clone(), request(Method::POST, "/", "")).await;
    assert_eq!(response.body, "page".repeat(100));
    assert_eq!(site.names(&response.cookie()).await, "age");

    site.faults.fail_nth(0, Fault::Before);
    let response = send(router, request(Method::POST, "/", "")).await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((&*response.body, response.values(CONTENT_TYPE.as_str()).len()), (DOWN, 1));
}

#[tokio::test]
async fn body_says_its_size_and_its_end() {
    let site = Site::new();
    let service = layer(&site).layer(handler!(boxed()));
    let body = service.clone().oneshot(request(Method::POST, "/", "")).await.unwrap().into_body();
    assert_eq!(body.size_hint().exact(), Some(4));
    assert!(!body.is_end_stream());
    site.faults.fail_nth(0, Fault::Before);
    let mut body = service.oneshot(request(Method::POST, "/", "")).await.unwrap().into_body();
    assert_eq!(body.size_hint().exact(), Some(DOWN.len() as u64));
    assert!(!body.is_end_stream());
    assert!(body.frame().await.unwrap().is_ok() && body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
    assert!(body.frame().await.is_none());

    let body = SessionBody::<Empty<Bytes>>::default();
    assert!(body.is_end_stream());
    assert_eq!(body.into_inner().unwrap_err(), "");

    site.faults.fail_nth(0, Fault::Before);
    let service = layer(&site).layer(handler!(Chunks::page()));
    let body = service.oneshot(request(Method::POST, "/", "")).await.unwrap().into_body();
    assert_eq!(
        (body.size_hint().exact(), body.is_end_stream()),
        (SizeHint::with_exact(0).exact(), true)
    );
    assert_eq!(body.into_inner().err(), Some(DOWN));
}
