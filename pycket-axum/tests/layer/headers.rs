//! The headers that the layer adds, and those that it leaves alone.

use axum::Router;
use axum::routing::post;
use http::StatusCode;
use http::header::{CACHE_CONTROL, SET_COOKIE, VARY};
use pycket_axum::{Session, SessionError};
use pycket_testkit::Calls;

use crate::site::{Plan, Site};

#[tokio::test]
async fn route_without_the_session_costs_no_store_call_and_no_header() {
    let site = Site::new();
    let cookie = site.client().await;
    let without = site.get("/untouched", "").await;
    let with = site.get("/untouched", &cookie).await;
    for response in [with, without] {
        assert_eq!((response.status, &*response.body), (StatusCode::OK, "ok"));
        assert_eq!(response.set_cookies(), <[&str; 0]>::default());
        assert!(
            !response.headers.contains_key(VARY) && !response.headers.contains_key(CACHE_CONTROL)
        );
    }
    assert_eq!(site.calls.take(), Calls::default());
}

#[tokio::test]
async fn read_adds_vary_and_no_other_header() {
    let site = Site::new();
    let cookie = site.client().await;
    let untouched = site.get("/untouched", &cookie).await;
    let response = site.get("/names", &cookie).await;
    assert_eq!(response.body, "user");
    assert_eq!(response.values("vary"), ["cookie"]);
    let mut others = response.headers.clone();
    others.remove(VARY);
    assert_eq!(
        others.keys().collect::<Vec<_>>(),
        untouched.headers.keys().collect::<Vec<_>>(),
        "the same as on a route without a session"
    );
}

#[tokio::test]
async fn client_that_stores_nothing_gets_no_record_and_no_cookie() {
    let site = Site::new();
    let response = site.get("/names", "").await;
    assert_eq!((response.status, &*response.body), (StatusCode::OK, ""));
    assert_eq!(response.values("vary"), ["cookie"]);
    assert!(response.set_cookies().is_empty() && !response.headers.contains_key(CACHE_CONTROL));
    assert!(site.memory.is_empty());
    assert_eq!(site.calls.take(), Calls::default());
}

#[tokio::test]
async fn first_write_sets_one_cookie_with_the_safe_attributes() {
    let site = Site::new();
    let response = site.post("/set/user", "").await;
    let [cookie] = response.set_cookies()[..] else { panic!("{:?}", response.set_cookies()) };
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert!(pair.starts_with("PYCKET_ID="));
    let mut attributes: Vec<_> = attributes.split("; ").collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
    assert_eq!(response.values("cache-control"), ["private"]);
    assert_eq!(response.values("vary"), ["cookie"]);
    assert_eq!(site.names(pair).await, "user");
}

#[tokio::test]
async fn cache_control_vary_and_cookies_of_the_handler_stay() {
    let handler = async |session: Session| {
        session.set("user", "ann")?;
        let headers = [(CACHE_CONTROL, "no-store"), (VARY, "accept"), (SET_COOKIE, "theme=dark")];
        Ok::<_, SessionError>(headers)
    };
    let site = Plan::with(Router::new().route("/own", post(handler))).open();
    let response = site.post("/own", "").await;
    assert_eq!(response.values("cache-control"), ["no-store"]);
    assert_eq!(response.values("vary"), ["accept", "cookie"]);
    let [own, session] = response.set_cookies()[..] else { panic!("{:?}", response.set_cookies()) };
    assert!(own == "theme=dark" && session.starts_with("PYCKET_ID="));
}

#[tokio::test]
async fn cookie_of_a_live_session_is_not_set_again() {
    let site = Site::new();
    let cookie = site.client().await;
    for response in [site.get("/names", &cookie).await, site.post("/set/age", &cookie).await] {
        assert_eq!(response.status, StatusCode::OK);
        assert!(response.set_cookies().is_empty() && !response.headers.contains_key(CACHE_CONTROL));
    }
    assert_eq!(site.names(&cookie).await, "age,user");
}

#[tokio::test]
async fn commit_inside_the_handler_sets_one_cookie() {
    let handler = async |session: Session| {
        session.set("early", &1)?;
        session.commit().await?;
        session.set("late", &1)?;
        Ok::<_, SessionError>(())
    };
    let site = Plan::with(Router::new().route("/twice", post(handler))).open();
    let cookie = site.post("/twice", "").await.cookie();
    assert_eq!(site.names(&cookie).await, "early,late");
    assert_eq!(site.memory.len(), 1);
}
