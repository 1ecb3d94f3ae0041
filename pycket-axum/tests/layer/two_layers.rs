//! More than one session layer around a handler.

use std::sync::Arc;

use axum::Router;
use axum::extract::Extension;
use axum::routing::{get, post};
use http::{Method, StatusCode};
use pycket_axum::{Session, SessionError, SessionHandle, SessionLayer};
use pycket_cookie::CookieSettings;
use pycket_core::MemoryStore;
use pycket_testkit::{Calls, CountingStore, ManualClock};
use tower::ServiceBuilder;
use tower_http::timeout::TimeoutLayer;

use crate::site::{KEY, Response, manager, request, send};

/// A layer with a store of its own.
struct Site {
    memory: Arc<MemoryStore>,
    calls: Arc<CountingStore>,
    layer: SessionLayer,
}

fn site(cookie_name: &str) -> Site {
    let memory = Arc::new(MemoryStore::new());
    let calls = Arc::new(CountingStore::new(memory.clone()));
    let settings = CookieSettings::builder().name(cookie_name).build().unwrap();
    let layer = SessionLayer::builder(manager(calls.clone(), &ManualClock::new()))
        .secret(KEY)
        .cookie(settings)
        .build()
        .unwrap();
    Site { memory, calls, layer }
}

async fn set(session: Session) -> Result<(), SessionError> {
    Ok(session.set("inner", &1)?)
}

async fn names(session: Session) -> String {
    session.keys().join(",")
}

async fn post_to(router: &Router, path: &str, cookie: &str) -> Response {
    send(router.clone(), request(Method::POST, path, cookie)).await
}

async fn get_from(router: &Router, path: &str, cookie: &str) -> String {
    send(router.clone(), request(Method::GET, path, cookie)).await.body
}

#[tokio::test]
async fn nested_layer_with_the_same_cookie_shares_the_outer_session() {
    let outer = site("PYCKET_ID");
    let inner = Router::new().route("/set", post(set)).layer(outer.layer.clone());
    // A middleware between the two layers uses the session, too.
    let between = axum::middleware::from_fn(
        async |session: Session, request: axum::extract::Request, next: axum::middleware::Next| {
            session.set("outer", &1).unwrap();
            next.run(request).await
        },
    );
    let router = Router::new()
        .nest("/inner", inner.layer(between))
        .route("/names", get(names))
        .layer(outer.layer.clone());
    let response = post_to(&router, "/inner/set", "").await;
    let cookie = response.cookie();
    assert_eq!(response.values("vary"), ["cookie"]);
    assert_eq!(outer.calls.take(), Calls { create: 1, ..Calls::default() });
    assert_eq!(get_from(&router, "/names", &cookie).await, "inner,outer");

    outer.calls.take();
    let response = post_to(&router, "/inner/set", &cookie).await;
    assert!(response.set_cookies().is_empty());
    assert_eq!(outer.calls.take(), Calls { load: 1, ..Calls::default() });
}

/// The browser tells cookies apart by name, so the inner layer cannot have another store.
#[tokio::test]
async fn nested_layer_with_the_same_cookie_name_leaves_its_own_store_unused() {
    let (outer, inner) = (site("PYCKET_ID"), site("PYCKET_ID"));
    let router = Router::new().route("/set", post(set)).layer(inner.layer).layer(outer.layer);
    post_to(&router, "/set", "").await.cookie();
    assert_eq!((outer.memory.len(), inner.memory.len()), (1, 0));
}

async fn set_both(session: Session, handle: SessionHandle) -> Result<(), SessionError> {
    session.set("inner", &1)?;
    let outer = handle.named("OUTER").ok_or(SessionError::MissingLayer)?;
    Ok(outer.session().await?.set("outer", &1)?)
}

async fn names_of_both(
    Extension(handle): Extension<SessionHandle>,
) -> Result<String, SessionError> {
    assert!(handle.named("OTHER").is_none());
    let mut names = Vec::new();
    for name in ["OUTER", "INNER"] {
        let session = handle.named(name).ok_or(SessionError::MissingLayer)?.session().await?;
        names.push(session.keys().join(","));
    }
    Ok(names.join("; "))
}

#[tokio::test]
async fn two_layers_with_different_cookies_are_both_reachable() {
    let (outer, inner) = (site("OUTER"), site("INNER"));
    let router = Router::new()
        .route("/set", post(set_both))
        .route("/names", get(names_of_both))
        .route("/inner", get(names))
        .layer(inner.layer)
        .layer(outer.layer);
    let response = post_to(&router, "/set", "").await;
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!((outer.memory.len(), inner.memory.len()), (1, 1));
    let cookies: Vec<_> =
        response.set_cookies().iter().map(|cookie| cookie.split(';').next().unwrap()).collect();
    assert!(cookies.iter().any(|cookie| cookie.starts_with("OUTER=")), "{cookies:?}");
    assert!(cookies.iter().any(|cookie| cookie.starts_with("INNER=")), "{cookies:?}");
    let cookies = cookies.join("; ");
    assert_eq!(get_from(&router, "/names", &cookies).await, "outer; inner");
    assert_eq!(
        get_from(&router, "/inner", &cookies).await,
        "inner",
        "the extractor's is the inner"
    );

    // The layer of an unused session loads nothing.
    outer.calls.take();
    get_from(&router, "/inner", &cookies).await;
    assert_eq!(outer.calls.take(), Calls::default());
}

#[tokio::test]
async fn third_layer_with_the_cookie_of_the_first_shares_its_session() {
    let (first, second) = (site("FIRST"), site("SECOND"));
    let both = async |session: Session, handle: SessionHandle| {
        session.set("third", &1)?;
        for name in ["FIRST", "SECOND"] {
            let named = handle.named(name).ok_or(SessionError::MissingLayer)?;
            named.session().await?.set(name, &1)?;
        }
        Ok::<_, SessionError>(session.keys().join(","))
    };
    let router = Router::new()
        .route("/", post(both))
        .layer(first.layer.clone())
        .layer(second.layer)
        .layer(first.layer);
    let response = post_to(&router, "/", "").await;
    assert_eq!(response.body, "FIRST,third", "the extractor's is that of the innermost layer");
    assert_eq!(response.set_cookies().len(), 2);
    assert_eq!((first.memory.len(), second.memory.len()), (1, 1));
}

#[tokio::test]
async fn handler_that_does_not_finish_stores_nothing_in_both_sessions() {
    let unfinished = async |session: Session, handle: SessionHandle| {
        session.set("inner", &1)?;
        let outer = handle.named("OUTER").ok_or(SessionError::MissingLayer)?;
        outer.session().await?.set("outer", &1)?;
        std::future::pending::<Result<(), SessionError>>().await
    };
    let timeout =
        || TimeoutLayer::with_status_code(StatusCode::OK, std::time::Duration::from_millis(20));
    for is_between in [false, true] {
        let (outer, inner) = (site("OUTER"), site("INNER"));
        let routes = Router::new().route("/", post(unfinished));
        let router = match is_between {
            true => routes.layer(
                ServiceBuilder::new().layer(outer.layer).layer(timeout()).layer(inner.layer),
            ),
            false => routes
                .layer(ServiceBuilder::new().layer(inner.layer).layer(timeout()))
                .layer(outer.layer),
        };
        let response = post_to(&router, "/", "").await;
        assert_eq!((response.status, response.set_cookies()), (StatusCode::OK, vec![]));
        assert_eq!((outer.memory.len(), inner.memory.len()), (0, 0), "{is_between}");
    }
}

#[tokio::test]
async fn handle_without_a_layer_is_an_error_that_names_the_layer() {
    let router = Router::new().route("/", post(async |_: SessionHandle| ()));
    let response = post_to(&router, "/", "").await;
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(response.body.contains("SessionLayer"), "{}", response.body);
}
