use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Path;
use axum::routing::{get, post};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use pycket_axum::{Session, SessionError, SessionLayer};
use pycket_cookie::{CookieSettings, KeyRing, SessionCookie};
use pycket_core::{Clock, Expiry, MemoryStore, SessionManager, SessionStore};
use pycket_testkit::{CountingStore, FaultyStore, ManualClock};
use tower::ServiceExt;

pub(crate) const KEY: &str = "the key of every test, thirty-two bytes or more";

/// The settings of a [`Site`]. The defaults are those of the library.
pub(crate) struct Plan {
    pub(crate) settings: CookieSettings,
    pub(crate) keys: KeyRing,
    pub(crate) expiry: Expiry,
    pub(crate) commit_on_server_error: bool,
    /// The name of the header beside the cookie, or instead of it.
    pub(crate) header: Option<&'static str>,
    pub(crate) has_cookie: bool,
    /// Added to the routes of every site.
    pub(crate) routes: Router,
    /// The store of another site, which stands for the same application before a deployment.
    pub(crate) memory: Option<Arc<MemoryStore>>,
}

/// A small application over an in-memory store whose calls are counted and can be made to fail.
pub(crate) struct Site {
    pub(crate) memory: Arc<MemoryStore>,
    pub(crate) calls: Arc<CountingStore>,
    pub(crate) faults: Arc<FaultyStore>,
    pub(crate) clock: ManualClock,
    pub(crate) cookie: SessionCookie,
    settings: CookieSettings,
    keys: KeyRing,
    router: Router,
}

/// A response with its whole body.
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            settings: CookieSettings::default(),
            keys: KeyRing::new(KEY).unwrap(),
            expiry: Expiry::default(),
            commit_on_server_error: false,
            header: None,
            has_cookie: true,
            routes: Router::new(),
            memory: None,
        }
    }
}

impl Plan {
    pub(crate) fn with(routes: Router) -> Self {
        Self { routes, ..Self::default() }
    }

    pub(crate) fn open(self) -> Site {
        let clock = ManualClock::new();
        let fresh = || Arc::new(MemoryStore::builder().clock(clock.clone()).build().unwrap());
        let memory = self.memory.unwrap_or_else(fresh);
        let faults = Arc::new(FaultyStore::new(memory.clone()));
        let calls = Arc::new(CountingStore::new(faults.clone()));
        let manager =
            manager(calls.clone(), &clock).to_builder().expiry(self.expiry).build().unwrap();
        let cookie = SessionCookie::new(self.settings.clone(), &self.keys);
        let mut layer = SessionLayer::builder(manager)
            .keys(self.keys.clone())
            .cookie(self.settings.clone())
            .commit_on_server_error(self.commit_on_server_error);
        if let Some(name) = self.header {
            layer = layer.header(name);
        }
        if !self.has_cookie {
            layer = layer.without_cookie();
        }
        let layer = layer.build().unwrap();
        let router = self.routes.merge(routes()).layer(layer);
        let Self { settings, keys, .. } = self;
        Site { memory, calls, faults, clock, cookie, settings, keys, router }
    }
}

impl Site {
    pub(crate) fn new() -> Self {
        Plan::default().open()
    }

    /// The cookie of a session with a value `user`. Its store calls are not counted.
    pub(crate) async fn client(&self) -> String {
        let cookie = self.post("/set/user", "").await.cookie();
        self.calls.take();
        cookie
    }

    pub(crate) async fn get(&self, path: &str, cookie: &str) -> Response {
        self.send(request(Method::GET, path, cookie)).await
    }

    pub(crate) async fn post(&self, path: &str, cookie: &str) -> Response {
        self.send(request(Method::POST, path, cookie)).await
    }

    /// The names in the session of this cookie.
    pub(crate) async fn names(&self, cookie: &str) -> String {
        self.get("/names", cookie).await.body
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response {
        send(self.router(), request).await
    }

    /// A layer with the cookie of this site over another manager.
    pub(crate) fn layer(&self, manager: SessionManager) -> SessionLayer {
        let layer = SessionLayer::builder(manager).keys(self.keys.clone());
        layer.cookie(self.settings.clone()).build().unwrap()
    }

    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }
}

impl Response {
    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        self.values("set-cookie")
    }

    /// The `name=value` of the only cookie that the response sets.
    pub(crate) fn cookie(&self) -> String {
        let [cookie] = self.set_cookies()[..] else {
            panic!("expected one cookie, got {:?} with {}", self.set_cookies(), self.status);
        };
        assert!(self.headers[SET_COOKIE].is_sensitive());
        cookie.split(';').next().unwrap().to_owned()
    }

    pub(crate) fn values(&self, header: &str) -> Vec<&str> {
        self.headers.get_all(header).iter().map(|value| value.to_str().unwrap()).collect()
    }
}

pub(crate) fn manager(store: Arc<dyn SessionStore>, clock: &ManualClock) -> SessionManager {
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    SessionManager::builder(store).clock(clock).build().unwrap()
}

pub(crate) fn request(method: Method, path: &str, cookie: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !cookie.is_empty() {
        request = request.header(COOKIE, cookie);
    }
    request.body(Body::empty()).unwrap()
}

pub(crate) async fn send(router: Router, request: Request<Body>) -> Response {
    let (head, body) = router.oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    Response { status: head.status, headers: head.headers, body }
}

fn routes() -> Router {
    Router::new()
        .route("/untouched", get("ok"))
        .route("/names", get(names))
        .route("/set/{name}", post(set))
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
}

async fn names(session: Session) -> String {
    session.keys().join(",")
}

async fn set(session: Session, Path(name): Path<String>) -> Result<(), SessionError> {
    Ok(session.set(&name, &1)?)
}

async fn log_in(session: Session) -> Result<(), SessionError> {
    session.cycle_id();
    Ok(session.set("login", &1)?)
}

async fn log_out(session: Session) {
    session.destroy();
}
