use axum::Router;
use axum::routing::post;
use http::StatusCode;
use http::header::{CACHE_CONTROL, SET_COOKIE, VARY};
use pycket_axum::{Session, SessionError};
use pycket_testkit::Calls;

use crate::site::{Plan, Site};

#[tokio::test]
async fn a_route_that_never_asks_for_the_session_costs_no_call_and_gets_no_header() {
    let site = Site::new();
    let cookie = site.visitor().await;
    let without = site.get("/untouched", "").await;
    let with = site.get("/untouched", &cookie).await;
    for answer in [with, without] {
        assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "ok"));
        assert_eq!(answer.set_cookies(), <[&str; 0]>::default());
        assert!(!answer.headers.contains_key(VARY) && !answer.headers.contains_key(CACHE_CONTROL));
    }
    assert_eq!(site.calls.take(), Calls::default());
}

#[tokio::test]
async fn a_read_adds_vary_and_nothing_else() {
    let site = Site::new();
    let cookie = site.visitor().await;
    let untouched = site.get("/untouched", &cookie).await;
    let answer = site.get("/names", &cookie).await;
    assert_eq!(answer.body, "user");
    assert_eq!(answer.values("vary"), ["cookie"]);
    let mut others = answer.headers.clone();
    others.remove(VARY);
    assert_eq!(
        others.keys().collect::<Vec<_>>(),
        untouched.headers.keys().collect::<Vec<_>>(),
        "as a route without a session"
    );
}

#[tokio::test]
async fn a_visitor_who_stores_nothing_leaves_nothing_and_gets_no_cookie() {
    let site = Site::new();
    let answer = site.get("/names", "").await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::OK, ""));
    assert_eq!(answer.values("vary"), ["cookie"]);
    assert!(answer.set_cookies().is_empty() && !answer.headers.contains_key(CACHE_CONTROL));
    assert!(site.memory.is_empty());
    assert_eq!(site.calls.take(), Calls::default());
}

#[tokio::test]
async fn the_first_write_sets_exactly_one_cookie_with_the_safe_attributes() {
    let site = Site::new();
    let answer = site.post("/set/user", "").await;
    let [cookie] = answer.set_cookies()[..] else { panic!("{:?}", answer.set_cookies()) };
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert!(pair.starts_with("PYCKET_ID="));
    let mut attributes: Vec<_> = attributes.split("; ").collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
    assert_eq!(answer.values("cache-control"), ["no-cache=\"set-cookie\""]);
    assert_eq!(answer.values("vary"), ["cookie"]);
    assert_eq!(site.names(pair).await, "user");
}

#[tokio::test]
async fn the_cache_control_vary_and_cookies_of_the_handler_stay() {
    let handler = async |session: Session| {
        session.set("user", "ann")?;
        let headers = [(CACHE_CONTROL, "no-store"), (VARY, "accept"), (SET_COOKIE, "theme=dark")];
        Ok::<_, SessionError>(headers)
    };
    let site = Plan::with(Router::new().route("/own", post(handler))).open();
    let answer = site.post("/own", "").await;
    assert_eq!(answer.values("cache-control"), ["no-store"]);
    assert_eq!(answer.values("vary"), ["accept", "cookie"]);
    let [own, session] = answer.set_cookies()[..] else { panic!("{:?}", answer.set_cookies()) };
    assert!(own == "theme=dark" && session.starts_with("PYCKET_ID="));
}

#[tokio::test]
async fn the_cookie_of_a_live_session_is_not_set_again() {
    let site = Site::new();
    let cookie = site.visitor().await;
    for answer in [site.get("/names", &cookie).await, site.post("/set/age", &cookie).await] {
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.set_cookies().is_empty() && !answer.headers.contains_key(CACHE_CONTROL));
    }
    assert_eq!(site.names(&cookie).await, "age,user");
}

#[tokio::test]
async fn a_commit_inside_the_handler_sets_the_same_one_cookie() {
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
