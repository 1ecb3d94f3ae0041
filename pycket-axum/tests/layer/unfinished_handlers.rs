//! A handler that does not finish stores nothing, whatever response stands in for it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::IntoResponse;
use axum::routing::post;
use http::{Method, StatusCode};
use http_body::Frame;
use pycket_axum::{Notifications, Session, SessionError, SessionLayer};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::site::{Plan, Response, Site, manager, request, send};

const SHORT: Duration = Duration::from_millis(20);

fn routes() -> Router {
    Router::new()
        .route("/write", post(write))
        .route("/notify", post(notify))
        .route("/destroy", post(destroy))
        .route("/quick", post(quick))
        .route("/panic", post(panicking))
}

async fn write(session: Session) -> Result<(), SessionError> {
    session.set("age", &30)?;
    std::future::pending().await
}

async fn notify(notifications: Notifications) -> Result<(), SessionError> {
    notifications.set("info", "saved")?;
    std::future::pending().await
}

async fn destroy(session: Session) {
    session.destroy();
    std::future::pending().await
}

async fn quick(session: Session) -> Result<StatusCode, SessionError> {
    session.set("quick", &1)?;
    Ok(StatusCode::IM_A_TEAPOT)
}

async fn panicking(session: Session) -> Result<(), SessionError> {
    session.set("age", &30)?;
    panic!("the handler fails");
}

fn layer(site: &Site) -> SessionLayer {
    site.layer(manager(site.memory.clone(), &site.clock))
}

/// The timeout as a layer of its own, inside the session layer.
fn separate(site: &Site, status: StatusCode) -> Router {
    routes().layer(TimeoutLayer::with_status_code(status, SHORT)).layer(layer(site))
}

/// Both layers in one stack.
fn stacked(site: &Site, status: StatusCode) -> Router {
    let timeout = TimeoutLayer::with_status_code(status, SHORT);
    routes().layer(ServiceBuilder::new().layer(layer(site)).layer(timeout))
}

/// The timeout around the session layer.
fn outside(site: &Site, status: StatusCode) -> Router {
    routes().layer(layer(site)).layer(TimeoutLayer::with_status_code(status, SHORT))
}

async fn post_to(router: &Router, path: &str, cookie: &str) -> Response {
    send(router.clone(), request(Method::POST, path, cookie)).await
}

#[tokio::test]
async fn timeout_inside_the_layer_stores_nothing() {
    for status in [StatusCode::REQUEST_TIMEOUT, StatusCode::GATEWAY_TIMEOUT] {
        stores_nothing(separate, status).await;
    }
}

#[tokio::test]
async fn timeout_in_one_stack_stores_nothing_whatever_its_status() {
    for status in [200, 204, 303, 400, 408, 429, 499, 503, 504] {
        stores_nothing(stacked, StatusCode::from_u16(status).unwrap()).await;
    }
}

#[tokio::test]
async fn timeout_around_the_layer_stores_nothing_whatever_its_status() {
    for status in [200, 400, 408, 429, 503] {
        stores_nothing(outside, StatusCode::from_u16(status).unwrap()).await;
    }
}

async fn stores_nothing(router: fn(&Site, StatusCode) -> Router, status: StatusCode) {
    let site = Site::new();
    let cookie = site.client().await;
    let router = router(&site, status);
    for path in ["/write", "/notify"] {
        for cookie in ["", &cookie] {
            let response = post_to(&router, path, cookie).await;
            assert_eq!(response.status, status, "{path}");
            assert!(response.set_cookies().is_empty(), "{path}, {status}");
            assert_eq!(site.memory.len(), 1, "{path}, {status}");
        }
    }
    assert_eq!(site.names(&cookie).await, "user", "{status}");
}

#[tokio::test]
async fn handler_that_finishes_in_time_stores_its_changes() {
    for router in [separate, stacked, outside] {
        let site = Site::new();
        let response = post_to(&router(&site, StatusCode::REQUEST_TIMEOUT), "/quick", "").await;
        assert_eq!(response.status, StatusCode::IM_A_TEAPOT);
        assert_eq!(site.names(&response.cookie()).await, "quick");
    }
}

#[tokio::test]
async fn unfinished_logout_still_ends_the_session() {
    for router in [separate, stacked, outside] {
        let site = Site::new();
        let cookie = site.client().await;
        post_to(&router(&site, StatusCode::REQUEST_TIMEOUT), "/destroy", &cookie).await;
        while !site.memory.is_empty() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn panic_stores_nothing_whatever_response_stands_in_for_it() {
    let site = Site::new();
    let cookie = site.client().await;
    let calm = CatchPanicLayer::custom(|_| StatusCode::OK.into_response());
    let separate = routes().layer(calm).layer(layer(&site));
    let stacked = routes().layer(ServiceBuilder::new().layer(layer(&site)).layer(calm));
    for router in [separate, stacked] {
        let response = post_to(&router, "/panic", &cookie).await;
        assert_eq!((response.status, response.set_cookies()), (StatusCode::OK, vec![]));
        assert_eq!(site.names(&cookie).await, "user");
    }
}

/// A handler may leave a clone to a task, or give the session to the body of its response.
#[tokio::test]
async fn session_that_outlives_its_handler_does_not_make_it_unfinished() {
    let spawning = async |session: Session| {
        let background = session.clone();
        let task = tokio::spawn(async move {
            std::future::pending::<()>().await;
            drop(background);
        });
        session.set("age", &30)?;
        task.abort();
        let _ = task.await;
        Ok::<_, SessionError>(())
    };
    let panicking_task = async |session: Session| {
        let background = session.clone();
        let task = tokio::spawn(async move {
            let _background = background;
            panic!("the task fails");
        });
        assert!(task.await.is_err());
        session.set("age", &30)?;
        Ok::<_, SessionError>(())
    };
    let streaming = async |session: Session| {
        session.set("age", &30)?;
        Ok::<_, SessionError>(Body::new(Holding { page: Body::from("page"), _session: session }))
    };
    let plan = Plan::with(
        Router::new()
            .route("/spawn", post(spawning))
            .route("/panic", post(panicking_task))
            .route("/stream", post(streaming)),
    );
    let site = plan.open();
    for path in ["/spawn", "/panic", "/stream"] {
        let cookie = site.client().await;
        assert_eq!(site.post(path, &cookie).await.status, StatusCode::OK, "{path}");
        assert_eq!(site.names(&cookie).await, "age,user", "{path}");
    }
}

/// A body that holds the session to its end.
struct Holding {
    page: Body,
    _session: Session,
}

impl http_body::Body for Holding {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.page).poll_frame(context)
    }
}
