//! Two requests of one client at the same time, over a store that lets them take turns at every call.

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{Method, StatusCode};
use pycket_axum::{Error, MemoryStore, Session, SessionError, SessionLayer, Values};
use pycket_testkit::PausingStore;

use crate::site::{KEY, request, send};

/// The error of the application. It carries that of the session.
enum ShopError {
    SoldOut,
    Session(SessionError),
}

impl From<Error> for ShopError {
    fn from(error: Error) -> Self {
        Self::Session(error.into())
    }
}

impl IntoResponse for ShopError {
    fn into_response(self) -> Response {
        match self {
            Self::SoldOut => StatusCode::CONFLICT.into_response(),
            Self::Session(error) => error.into_response(),
        }
    }
}

fn shop() -> Router {
    let begin = async |session: Session| session.set("stock", &1).map_err(SessionError::from);
    let racy = async |session: Session| {
        let n = session.get_or("n", 0)?;
        Ok::<_, SessionError>(session.set("n", &(n + 1))?)
    };
    let safe = async |session: Session| {
        session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await?;
        Ok::<_, SessionError>(())
    };
    let count = async |session: Session| session.get_or("n", 0).unwrap().to_string();
    let store = PausingStore::new(Arc::new(MemoryStore::new()));
    Router::new()
        .route("/", post(begin).get(count))
        .route("/racy", post(racy))
        .route("/safe", post(safe))
        .route("/buy", post(buy))
        .route("/stock", get(async |session: Session| session.keys().join(",")))
        .layer(SessionLayer::new(store, KEY).unwrap())
}

async fn buy(session: Session) -> Result<&'static str, ShopError> {
    let buy = |values: &mut Values| {
        let stock: u32 = values.get("stock")?.unwrap_or(0);
        values.set("stock", &stock.checked_sub(1).ok_or(ShopError::SoldOut)?)?;
        values.set("bought", &true)?;
        Ok::<_, ShopError>("yours")
    };
    session.update_all(buy).await
}

/// The responses to two concurrent requests, and what `then` shows afterwards.
async fn after_two(path: &str, then: &str) -> ([StatusCode; 2], String) {
    let shop = shop();
    let cookie = send(shop.clone(), request(Method::POST, "/", "")).await.cookie();
    let post = || send(shop.clone(), request(Method::POST, path, &cookie));
    let (one, other) = tokio::join!(post(), post());
    let shown = send(shop, request(Method::GET, then, &cookie)).await.body;
    ([one.status, other.status], shown)
}

#[tokio::test]
async fn pausing_store_shows_that_a_handler_loses_a_change() {
    assert_eq!(after_two("/racy", "/").await, ([StatusCode::OK; 2], "1".to_owned()));
}

#[tokio::test]
async fn handler_with_update_loses_no_change_over_a_pausing_store() {
    assert_eq!(after_two("/safe", "/").await, ([StatusCode::OK; 2], "2".to_owned()));
}

#[tokio::test]
async fn one_of_two_buyers_gets_the_last_item_and_the_other_an_error() {
    let (mut statuses, names) = after_two("/buy", "/stock").await;
    statuses.sort();
    assert_eq!(statuses, [StatusCode::OK, StatusCode::CONFLICT]);
    assert_eq!(names, "bought,stock");
}
