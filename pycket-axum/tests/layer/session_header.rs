//! Clients that carry the session id in a header.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use http::header::COOKIE;
use http::{Method, Request, StatusCode};
use pycket_axum::{
    MemoryStore, RequireUser, Session, SessionError, SessionHandle, SessionLayer, User,
};
use pycket_cookie::{CookieSettings, KeyRing, Persistence, SessionHeader};
use pycket_core::{ErrorKind, Event, Expiry, Renew, SessionId};

use crate::races::Slow;
use crate::site::{KEY, Plan, Response, Site, manager, request, send};

const NAME: &str = "session-id";

/// A site with the cookie and the header `Session-Id`.
fn beside(plan: Plan) -> Site {
    Plan { header: Some("Session-Id"), ..plan }.open()
}

/// A site with only the header.
fn instead(plan: Plan) -> Site {
    beside(Plan { has_cookie: false, ..plan })
}

/// A POST request with the header.
fn with_id(path: &str, id: &str) -> Request<Body> {
    with_both(path, id, "")
}

fn with_both(path: &str, id: &str, cookie: &str) -> Request<Body> {
    let method = if path == "/names" { Method::GET } else { Method::POST };
    let mut request = request(method, path, cookie);
    request.headers_mut().append(NAME, id.parse().unwrap());
    request
}

/// The id that the response gives the client in the header, and nowhere else.
fn id_of(response: &Response) -> String {
    let [id] = response.values(NAME)[..] else {
        panic!("expected one id, got {} with {}", response.values(NAME).len(), response.status);
    };
    assert!(response.headers[NAME].is_sensitive());
    assert!(response.set_cookies().is_empty());
    id.to_owned()
}

fn assert_no_id(response: &Response) {
    assert_eq!((response.values(NAME), response.set_cookies()), (vec![], vec![]));
}

/// The id of a session with a value `user`.
async fn client(site: &Site) -> String {
    id_of(&site.send(with_id("/set/user", "")).await)
}

async fn names(site: &Site, id: &str) -> String {
    site.send(with_id("/names", id)).await.body
}

#[tokio::test]
async fn client_that_sends_the_header_empty_gets_its_id_in_the_header() {
    let site = beside(Plan::default());
    let id = client(&site).await;
    assert_ne!(id, "");
    let response = site.send(with_id("/names", &id)).await;
    assert_eq!(response.body, "user");
    assert_no_id(&response);
    let response = site.send(with_id("/set/age", &id)).await;
    assert_eq!(response.status, StatusCode::OK);
    assert_no_id(&response);
    assert_eq!(site.memory.len(), 1);
}

#[tokio::test]
async fn client_without_the_header_gets_a_cookie() {
    let site = beside(Plan::default());
    let response = site.post("/set/user", "").await;
    assert!(response.values(NAME).is_empty());
    assert_eq!(site.names(&response.cookie()).await, "user");
}

#[tokio::test]
async fn request_with_the_header_does_not_use_its_cookie() {
    let site = beside(Plan::default());
    let cookie = site.client().await;
    let id = client(&site).await;
    site.send(with_id("/set/header", &id)).await;
    assert_eq!(site.send(with_both("/names", &id, &cookie)).await.body, "header,user");
    assert_eq!(site.send(with_both("/names", "", &cookie)).await.body, "", "also if it is empty");
    assert_eq!(site.send(with_both("/names", "forged", &cookie)).await.body, "");

    let new = site.send(with_both("/set/new", "", &cookie)).await;
    assert_eq!(names(&site, &id_of(&new)).await, "new", "a session of its own");
    site.send(with_both("/logout", &id, &cookie)).await;
    assert_eq!((&*names(&site, &id).await, &*site.names(&cookie).await), ("", "user"));
}

#[tokio::test]
async fn cookie_and_header_are_not_valid_in_place_of_each_other() {
    let site = beside(Plan::default());
    let cookie = site.client().await;
    let id = client(&site).await;
    let value = cookie.strip_prefix("PYCKET_ID=").unwrap();
    assert_eq!(names(&site, value).await, "");
    assert_eq!(site.names(&format!("PYCKET_ID={id}")).await, "");
    assert_eq!(site.names(&format!("{NAME}={id}")).await, "");
}

#[tokio::test]
async fn forged_header_is_reported_and_reaches_no_session() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = events.clone();
    let store = manager(Arc::new(MemoryStore::new()), &pycket_testkit::ManualClock::new())
        .on_event(move |event| seen.lock().unwrap().push(event));
    let layer = SessionLayer::builder(store).secret(KEY).header(NAME).build().unwrap();
    let names = async |session: Session| session.keys().join(",");
    let router = Router::new().route("/read", post(names)).layer(layer);
    let other = SessionHeader::new(NAME, &KeyRing::generate()).unwrap();
    let response = send(router, with_id("/read", &other.issue(&SessionId::generate()))).await;
    assert_eq!(response.body, "");
    assert_eq!(*events.lock().unwrap(), [Event::CookieRejected]);
}

#[tokio::test]
async fn login_and_logout_by_header_are_those_of_the_cookie() {
    let site = beside(Plan::default());
    let old = client(&site).await;
    let new = id_of(&site.send(with_id("/login", &old)).await);
    assert_ne!(new, old);
    assert_eq!((&*names(&site, &old).await, &*names(&site, &new).await), ("", "login,user"));
    let logout = site.send(with_id("/logout", &new)).await;
    assert_eq!(id_of(&logout), "", "the client forgets its id");
    assert!(site.memory.is_empty());
    assert_eq!(names(&site, &new).await, "");
}

#[tokio::test]
async fn user_signs_in_by_header_and_passes_the_guard() {
    let sign_in = async |session: Session| session.log_in("ann").map_err(SessionError::from);
    let name = async |User(name): User| name;
    let guarded = Router::new().route("/name", post(name)).layer(RequireUser::or_401());
    let site = beside(Plan::with(guarded.route("/sign-in", post(sign_in))));
    let anonymous = site.send(with_id("/name", "")).await;
    assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED);
    let id = id_of(&site.send(with_id("/sign-in", &client(&site).await)).await);
    assert_eq!(site.send(with_id("/name", &id)).await.body, "ann");
    assert_eq!(site.memory.len(), 2, "the session and the list of her sessions");
}

#[tokio::test]
async fn late_response_gives_no_id_after_a_login_or_logout_by_header() {
    for path in ["/login", "/logout"] {
        let slow = Slow::default();
        let site = beside(slow.plan());
        let old = client(&site).await;
        let (late, newer) =
            slow.while_waiting(&site, with_id("/slow/write", &old), with_id(path, &old)).await;
        assert_eq!((late.status, &*late.body), (StatusCode::OK, "written"));
        assert_no_id(&late);
        let expected = if path == "/login" { "login,user" } else { "" };
        assert_eq!(names(&site, &id_of(&newer)).await, expected);
        assert_eq!(names(&site, &old).await, "");
    }
}

#[tokio::test]
async fn new_session_after_a_response_with_the_header_is_an_error() {
    let kept = Arc::new(Mutex::new(None));
    let keep = kept.clone();
    let stream = async move |session: Session| {
        *keep.lock().unwrap() = Some((*session).clone());
    };
    let site = beside(Plan::with(Router::new().route("/stream", post(stream))));
    assert_no_id(&site.send(with_id("/stream", "")).await);
    let session = kept.lock().unwrap().take().unwrap();
    session.set("late", &1).unwrap();
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::TooLate);
    assert!(site.memory.is_empty());
}

#[tokio::test]
async fn header_of_a_previous_key_is_issued_again() {
    const NEW_KEY: &str = "the key after the rotation, thirty-two bytes or more";
    let before = beside(Plan::default());
    let old = client(&before).await;
    let keys = KeyRing::builder(NEW_KEY).previous(KEY).build().unwrap();
    let after = beside(Plan { keys, memory: Some(before.memory.clone()), ..Plan::default() });
    let response = after.send(with_id("/names", &old)).await;
    assert_eq!(response.body, "user");
    let new = id_of(&response);
    assert_ne!(new, old);
    assert_eq!(new[new.len() - SessionId::TEXT_LEN..], old[old.len() - SessionId::TEXT_LEN..]);
    assert_no_id(&after.send(with_id("/names", &new)).await);
}

#[tokio::test]
async fn renewal_refreshes_a_persistent_cookie_and_no_header() {
    let settings =
        CookieSettings::builder().persistence(Persistence::FollowSession).build().unwrap();
    let expiry = Expiry::builder().renew(Renew::OnAccess).build().unwrap();
    let site = beside(Plan { settings, expiry, ..Plan::default() });
    let (cookie, id) = (site.client().await, client(&site).await);
    for _ in 0..15 {
        site.clock.advance(Expiry::DEFAULT_IDLE / 10);
        assert_eq!(site.get("/names", &cookie).await.cookie(), cookie);
        let response = site.send(with_id("/names", &id)).await;
        assert_eq!(response.body, "user", "it was renewed");
        assert_no_id(&response);
    }
    site.clock.advance(Expiry::DEFAULT_IDLE + Duration::from_secs(1));
    assert_eq!(names(&site, &id).await, "");
}

#[tokio::test]
async fn first_live_session_of_several_headers_counts_and_all_are_ended() {
    let site = beside(Plan::default());
    let (ended, first, second) = (client(&site).await, client(&site).await, client(&site).await);
    site.send(with_id("/logout", &ended)).await;
    site.send(with_id("/set/first", &first)).await;
    let all = |path| {
        let mut request = with_id(path, &ended);
        for id in [&first, &second] {
            request.headers_mut().append(NAME, id.parse().unwrap());
        }
        request
    };
    assert_eq!(site.send(all("/names")).await.body, "first,user");
    site.send(all("/logout")).await;
    assert!(site.memory.is_empty());
}

#[tokio::test]
async fn response_with_an_id_in_the_header_is_stored_by_no_cache() {
    let page = async |session: Session| {
        session.set("seen", &1)?;
        let headers = [
            ("cache-control", "public, max-age=60"),
            ("surrogate-control", "max-age=60"),
            (NAME, "of the handler"),
        ];
        Ok::<_, SessionError>((headers, "page"))
    };
    let site = beside(Plan::with(Router::new().route("/page", post(page))));
    let response = site.send(with_id("/page", "")).await;
    assert_eq!(names(&site, &id_of(&response)).await, "seen");
    assert_eq!(response.values("cache-control"), ["no-store"]);
    assert!(!response.headers.contains_key("surrogate-control"));

    let logout = site.send(with_id("/logout", &id_of(&response))).await;
    assert_eq!(logout.values("cache-control"), ["no-store"]);
    let cookie = site.post("/page", "").await;
    assert_eq!(cookie.values("cache-control"), ["private, max-age=60"], "as before");
}

#[tokio::test]
async fn response_says_which_request_headers_it_depends_on() {
    let (beside, instead) = (beside(Plan::default()), instead(Plan::default()));
    for (site, expected) in [(&beside, "cookie, session-id"), (&instead, "session-id")] {
        let (cookie, id) = (site.get("/names", "").await, site.send(with_id("/names", "")).await);
        assert_eq!((cookie.values("vary"), id.values("vary")), (vec![expected], vec![expected]));
        let untouched = site.get("/untouched", "").await;
        assert_eq!(untouched.values("vary"), <[&str; 0]>::default());
    }
}

#[tokio::test]
async fn layer_without_a_cookie_gives_every_client_the_header() {
    let site = instead(Plan::default());
    let id = id_of(&site.post("/set/user", "").await);
    assert_eq!(names(&site, &id).await, "user");
    let issued =
        site.cookie.issue(&id[id.len() - SessionId::TEXT_LEN..].parse().unwrap(), Duration::ZERO);
    let cookie = issued.split(';').next().unwrap();
    assert_eq!(site.names(cookie).await, "", "a cookie is not read");
    assert_no_id(&site.get("/names", cookie).await);
}

#[tokio::test]
async fn nested_layer_shares_the_session_of_the_header() {
    let memory = Arc::new(MemoryStore::new());
    let layer = |cookie: &str| {
        let settings = CookieSettings::builder().name(cookie).build().unwrap();
        let layer = SessionLayer::builder(memory.clone()).secret(KEY).cookie(settings);
        layer.header(NAME).build().unwrap()
    };
    let set = async |session: Session, handle: SessionHandle| {
        session.set("inner", &1)?;
        let outer = handle.named("OUTER").ok_or(SessionError::MissingLayer)?.session().await?;
        outer.set("outer", &1)?;
        assert!(handle.named("Session-Id").is_some());
        Ok::<_, SessionError>(session.keys().join(","))
    };
    let router = Router::new().route("/set", post(set)).layer(layer("INNER")).layer(layer("OUTER"));
    let response = send(router.clone(), with_id("/set", "")).await;
    id_of(&response);
    assert_eq!((&*response.body, memory.len()), ("inner,outer", 1));
    let response = send(router, request(Method::POST, "/set", "")).await;
    assert_eq!((&*response.body, response.set_cookies().len()), ("inner", 2));
}

#[tokio::test]
async fn inner_layer_with_the_same_cookie_follows_the_header_of_the_outer() {
    let memory = Arc::new(MemoryStore::new());
    let inner = SessionLayer::new(memory.clone(), KEY).unwrap();
    let outer = SessionLayer::builder(memory).secret(KEY).header(NAME).build().unwrap();
    let set = async |session: Session| Ok::<_, SessionError>(session.set("user", &1)?);
    let read = async |session: Session| session.keys().join(",");
    let routes = Router::new().route("/set", post(set)).route("/read", post(read));
    let router = routes.layer(inner).layer(outer);
    let id = id_of(&send(router.clone(), with_id("/set", "")).await);
    let mut request = with_id("/read", &id);
    request.headers_mut().insert(COOKIE, "PYCKET_ID=x".parse().unwrap());
    assert_eq!(send(router, request).await.body, "user");
}

#[test]
fn layer_without_cookie_and_header_says_what_to_call() {
    let builder = || SessionLayer::builder(MemoryStore::new()).secret(KEY);
    let error = builder().without_cookie().build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSetting);
    assert!(error.to_string().contains("call `header(…)`"), "{error}");
    let error = builder().header("Cookie").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSetting);
    assert!(error.to_string().contains("\"cookie\""), "{error}");
    builder().without_cookie().header("Session-Id").build().unwrap();
    builder().without_cookie().cookie(CookieSettings::default()).build().unwrap();
}
