//! The extractor of the signed-in user, and the guard for routes.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{Method, StatusCode};
use pycket_axum::{
    ErrorKind, FromUserId, RequireUser, Session, SessionError, User, UserRejection, local_path,
};
use pycket_testkit::{Calls, Fault};

use crate::site::{Plan, Response, Site, request, send};

const NONE: Calls = Calls { create: 0, load: 0, update: 0, delete: 0 };

/// A user of the application. Its number of the password counts, and the application looks it up at each request.
struct Account {
    name: String,
}

/// The number of the password that every account has now.
#[derive(Clone)]
struct Passwords(u32);

impl FromUserId<Passwords> for Account {
    type Error = SessionError;

    async fn from_user_id(
        id: &str,
        session: &Session,
        passwords: &Passwords,
    ) -> Result<Option<Self>, SessionError> {
        let number = session.get::<u32>("password")?;
        Ok((number == Some(passwords.0)).then(|| Self { name: id.to_owned() }))
    }
}

async fn sign_in(session: Session) -> Result<(), SessionError> {
    session.log_in("ann")?;
    Ok(session.set("password", &1)?)
}

async fn name(User(name): User) -> String {
    name
}

async fn greet(user: Option<User>) -> String {
    user.map_or("stranger".to_owned(), |User(name)| name)
}

async fn account(User(account): User<Account>) -> String {
    account.name
}

fn redirected() -> RequireUser {
    RequireUser::or_redirect_to("/sign-in").unwrap()
}

fn site() -> Site {
    let accounts = |number| Router::new().route("/", get(account)).with_state(Passwords(number));
    let nested = Router::new().route("/orders", get("orders").post("ordered"));
    let routes = Router::new()
        .route("/private", get(name))
        .route_layer(RequireUser::or_401())
        .nest("/shop", nested.route_layer(redirected()))
        .nest("/today", accounts(1).route_layer(redirected()))
        .nest("/changed", accounts(2).route_layer(redirected()))
        .nest("/changed-api", accounts(2))
        .route("/sign-in", post(sign_in))
        .route("/name", get(name))
        .route("/greet", get(greet));
    Plan::with(routes).open()
}

async fn ann(site: &Site) -> String {
    let cookie = site.post("/sign-in", "").await.cookie();
    site.calls.take();
    cookie
}

#[track_caller]
fn assert_redirect(response: &Response, location: &str) {
    assert_eq!(response.status, StatusCode::SEE_OTHER);
    assert_eq!(response.values("location"), [location]);
}

#[tokio::test]
async fn extractor_gives_the_id_of_the_signed_in_user() {
    let site = site();
    let cookie = ann(&site).await;
    assert_eq!(site.get("/name", &cookie).await.body, "ann");
    assert_eq!(site.get("/greet", &cookie).await.body, "ann");
    assert_eq!(site.get("/today", &cookie).await.body, "ann");
}

#[tokio::test]
async fn extractor_without_a_user_is_a_401_and_its_option_is_none() {
    let site = site();
    for cookie in ["", &site.client().await] {
        let refused = site.get("/name", cookie).await;
        assert_eq!((refused.status, &*refused.body), (StatusCode::UNAUTHORIZED, "sign in first\n"));
        assert_eq!(refused.values("content-type"), ["text/plain; charset=utf-8"]);
        assert_eq!(site.get("/greet", cookie).await.body, "stranger");
    }
}

#[tokio::test]
async fn user_who_signed_out_is_refused() {
    let site = site();
    let cookie = ann(&site).await;
    site.post("/logout", &cookie).await;
    assert_eq!(site.get("/private", &cookie).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn session_of_an_older_password_counts_as_signed_out() {
    let site = site();
    let cookie = ann(&site).await;
    assert_eq!(site.get("/changed-api", &cookie).await.status, StatusCode::UNAUTHORIZED);
    assert_redirect(&site.get("/changed", &cookie).await, "/sign-in?next=%2Fchanged");
}

#[tokio::test]
async fn guard_answers_401_without_a_user_and_lets_a_user_pass() {
    let site = site();
    assert_eq!(site.get("/private", "").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(site.get("/private", &ann(&site).await).await.body, "ann");
}

#[tokio::test]
async fn guard_redirects_a_get_and_carries_where_it_wanted_to_go() {
    let site = site();
    let refused = site.get("/shop/orders?year=2026&q=a%20b", "").await;
    assert_redirect(&refused, "/sign-in?next=%2Fshop%2Forders%3Fyear%3D2026%26q%3Da%2520b");
    assert!(refused.set_cookies().is_empty() && site.memory.is_empty(), "it stores nothing");
    assert_eq!(site.get("/shop/orders", &ann(&site).await).await.body, "orders");
}

#[tokio::test]
async fn guard_redirects_other_methods_without_a_place_to_return_to() {
    let site = site();
    assert_redirect(&site.post("/shop/orders", "").await, "/sign-in");
    assert_eq!(site.post("/shop/orders", &ann(&site).await).await.body, "ordered");
}

#[tokio::test]
async fn parameter_next_is_added_to_a_query_that_the_page_has() {
    let guard = RequireUser::or_redirect_to("/sign-in?lang=en").unwrap();
    let routes = Router::new().route("/a", get("a")).route_layer(guard);
    let site = Plan::with(routes).open();
    assert_redirect(&site.get("/a", "").await, "/sign-in?lang=en&next=%2Fa");
}

#[tokio::test]
async fn guard_and_extractors_cost_the_one_load_of_the_session() {
    let site = site();
    let cookie = ann(&site).await;
    for path in ["/private", "/today", "/shop/orders"] {
        site.get(path, &cookie).await;
        assert_eq!(site.calls.take(), Calls { load: 1, ..NONE }, "{path}");
    }
    site.get("/private", "").await;
    assert_eq!(site.calls.take(), NONE);
}

#[tokio::test]
async fn store_that_is_down_is_a_503_and_no_redirect() {
    let site = site();
    let cookie = ann(&site).await;
    for path in ["/private", "/shop/orders", "/name", "/greet"] {
        site.faults.fail_nth(0, Fault::Before);
        let failed = site.get(path, &cookie).await;
        assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
}

#[tokio::test]
async fn guard_without_a_session_layer_says_which_line_to_add() {
    let router = Router::new().route("/", get("private")).route_layer(redirected());
    let response = send(router, request(Method::GET, "/", "")).await;
    assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.body.trim_end(), SessionError::MissingLayer.to_string());
}

#[tokio::test]
async fn error_of_the_lookup_is_the_response() {
    struct Unknown;
    impl FromUserId<()> for Unknown {
        type Error = (StatusCode, &'static str);

        async fn from_user_id(
            _: &str,
            _: &Session,
            (): &(),
        ) -> Result<Option<Self>, (StatusCode, &'static str)> {
            Err((StatusCode::BAD_GATEWAY, "the directory is down"))
        }
    }
    async fn handler(
        user: Result<User<Unknown>, UserRejection<(StatusCode, &'static str)>>,
    ) -> StatusCode {
        match user {
            Err(UserRejection::Lookup((status, _))) => status,
            _ => StatusCode::OK,
        }
    }
    let routes = Router::new()
        .route("/", get(async |_: User<Unknown>| ()))
        .route("/handled", get(handler))
        .route("/sign-in", post(sign_in));
    let site = Plan::with(routes).open();
    let cookie = ann(&site).await;
    let failed = site.get("/", &cookie).await;
    assert_eq!((failed.status, &*failed.body), (StatusCode::BAD_GATEWAY, "the directory is down"));
    assert_eq!(site.get("/handled", &cookie).await.status, StatusCode::BAD_GATEWAY);
}

#[test]
fn rejection_says_that_no_user_is_signed_in_or_what_failed() {
    type Rejection = UserRejection<SessionError>;
    assert_eq!(Rejection::NotSignedIn.to_string(), "no user is signed in");
    let reason = SessionError::MissingLayer.to_string();
    assert_eq!(Rejection::Session(SessionError::MissingLayer).to_string(), reason);
    assert_eq!(Rejection::Lookup(SessionError::MissingLayer).to_string(), reason);
}

#[test]
fn page_of_another_site_is_no_place_to_sign_in_or_return_to() {
    let elsewhere = [
        "",
        "sign-in",
        "//example.org",
        "/\\example.org",
        "\\\\example.org",
        "https://example.org/",
        "javascript:alert(1)",
        " /a",
        "/a b",
        "/\t/example.org",
        "/a\r\nset-cookie:x",
        "/é",
        "/%5Cx\\",
    ];
    for path in elsewhere {
        assert_eq!(local_path(path), None, "{path:?}");
        let error = RequireUser::or_redirect_to(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSetting);
        assert!(error.to_string().contains("`/sign-in`"), "{error}");
    }
    for path in ["/", "/a", "/a/b?c=d&e=%2F%2Fx#f", "/a//b", "/%5Cexample.org", "/@x", "/a:b"] {
        assert_eq!(local_path(path), Some(path));
    }
}

#[tokio::test]
async fn sign_in_over_the_cookie_of_another_user_starts_empty() {
    async fn as_bob(session: Session) -> Result<Json<Vec<String>>, SessionError> {
        session.log_in("bob")?;
        Ok(Json(session.keys()))
    }
    async fn sessions(session: Session, State(()): State<()>) -> Result<String, SessionError> {
        let Some(sessions) = session.user_sessions() else { return Ok("none".to_owned()) };
        Ok(sessions.sessions().await?.len().to_string())
    }
    let routes = Router::new()
        .route("/sign-in", post(sign_in))
        .route("/as-bob", post(as_bob))
        .route("/sessions", get(sessions));
    let site = Plan::with(routes).open();
    let ann_cookie = ann(&site).await;
    let response = site.post("/as-bob", &ann_cookie).await;
    assert_eq!(response.body, "[]");
    let bob_cookie = response.cookie();
    assert_eq!(site.get("/sessions", &bob_cookie).await.body, "1");
    assert_eq!(site.get("/sessions", &ann_cookie).await.body, "none");
}
