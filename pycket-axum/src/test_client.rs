use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum_core::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use http::{Method, Request, Response, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pycket_cookie::KeyRing;
use pycket_core::{Error, MemoryStore, Session};
use tower_layer::Layer;
use tower_service::Service;

use crate::transport::Choice;
use crate::{SessionHandle, SessionLayer};

/// A client for unit tests of handlers: it calls the routes without a network, and keeps each cookie
/// until a response removes it (`Max-Age=0`). It does not look at other attributes of cookies.
///
/// [`log_in`](Self::log_in) signs a user in without a password, [`change`](Self::change) prepares the session in any
/// other way, and [`session`](Self::session) shows what a request has stored. Two calls in one `tokio::join!` are two
/// tabs. A clone is the same client; [`other`](Self::other) is another one of the same application.
///
/// It comes with the feature `test-client`. Enable it for tests only: `cargo add --dev pycket-axum -F test-client`.
///
/// ```
/// use axum::{Router, routing::post};
/// use pycket_axum::{Session, SessionError, TestClient};
///
/// async fn visit(session: Session) -> Result<String, SessionError> {
///     let user = session.user_id().unwrap_or("stranger".to_owned());
///     let visits = session.update("visits", |n: Option<u32>| n.unwrap_or(0) + 1).await?;
///     Ok(format!("{user}: {visits}"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let ann = TestClient::new(Router::new().route("/visit", post(visit)));
/// ann.log_in("ann").await;
/// ann.change(|session| session.set("visits", &41)).await;
///
/// assert_eq!(ann.post("/visit", &[]).await.body(), "ann: 42");
/// assert_eq!(ann.session().await.get::<u32>("visits").unwrap(), Some(42));
/// assert_eq!(ann.other().post("/visit", &[]).await.body(), "stranger: 1");
/// # }
/// ```
///
/// # Panics
///
/// Its methods panic where a test has to fail: if the store fails, if `change` or the id of a user is refused, if a path
/// is not valid, or if the body of a response ends with an error.
#[derive(Clone)]
pub struct TestClient {
    app: App,
    sessions: SessionLayer,
    kept: Arc<Mutex<Kept>>,
}

/// What the client sends with each request.
#[derive(Default)]
struct Kept {
    cookies: BTreeMap<String, String>,
    /// The id of the session, if the layer has a header instead of a cookie.
    id: Option<HeaderValue>,
}

type App = Arc<dyn Fn(Request<Body>) -> Answer + Send + Sync>;
type Answer = Pin<Box<dyn Future<Output = Response<String>> + Send>>;

impl TestClient {
    /// A client of these routes, with their sessions in memory. The client puts a [`SessionLayer`] around them, with
    /// the default settings.
    pub fn new<S>(routes: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        let sessions = SessionLayer::builder(MemoryStore::new()).keys(KeyRing::generate()).build();
        let sessions = expect("build the session layer", sessions);
        Self::with_layer(sessions.layer(routes), &sessions)
    }

    /// A client of an application that has its session layer already. `sessions` is that layer, or a clone. If the layer
    /// has a header [instead of the cookie](crate::SessionLayerBuilder::without_cookie), the client uses the header.
    pub fn with_layer<S, B>(app: S, sessions: &SessionLayer) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send,
        B: http_body::Body<Data = Bytes, Error: fmt::Display> + Send + 'static,
    {
        let app = move |request| -> Answer { Box::pin(call(app.clone(), request)) };
        Self { app: Arc::new(app), sessions: sessions.clone(), kept: Arc::default() }
    }

    /// Another client of the same application, without cookies.
    #[must_use]
    pub fn other(&self) -> Self {
        Self { kept: Arc::default(), ..self.clone() }
    }

    /// Sends a `GET` request.
    pub async fn get(&self, path: &str) -> Response<String> {
        self.send(request(Method::GET, path, Body::empty())).await
    }

    /// Sends a `POST` request with the fields of a form.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response<String> {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let pairs =
            fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        let form = pairs.collect::<Vec<_>>().join("&");
        let mut request = request(Method::POST, path, Body::from(form));
        let content_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, content_type);
        self.send(request).await
    }

    /// Sends any request with the cookies of the client, and returns the response with its whole body. It follows no
    /// redirect.
    pub async fn send(&self, mut request: Request<Body>) -> Response<String> {
        request.headers_mut().extend(self.headers());
        let response = (self.app)(request).await;
        self.keep(response.headers());
        response
    }

    /// The session of the client as the next request would find it.
    pub async fn session(&self) -> Session {
        expect("load the session", self.handle().session().await)
    }

    /// Changes the session of the client as a request would, with a cookie if the session is new, and returns what
    /// `change` returns.
    pub async fn change<T>(&self, change: impl FnOnce(&Session) -> Result<T, Error>) -> T {
        let handle = self.handle();
        let session = expect("load the session", handle.session().await);
        let value = expect("change the session", change(&session));
        let (id, stored) = handle.clone().finish(false).await;
        expect("store the session", stored);
        let mut headers = HeaderMap::new();
        handle.add_headers(&mut headers, id);
        self.keep(&headers);
        value
    }

    /// Signs a user in as [`log_in`](Session::log_in) does, without the application's sign-in.
    pub async fn log_in(&self, user_id: impl fmt::Display) {
        self.change(|session| session.log_in(user_id)).await;
    }

    /// The cookie of this name, as the client sends it.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.kept().cookies.get(name).cloned()
    }

    fn handle(&self) -> SessionHandle {
        SessionHandle::new(self.sessions.settings(), &Uri::default(), &self.headers(), None).0
    }

    fn headers(&self) -> HeaderMap {
        let kept = self.kept();
        let pairs = kept.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let cookies = HeaderValue::try_from(pairs.collect::<Vec<_>>().join("; ")).ok();
        let cookies = cookies.filter(|it| !it.is_empty()).map(|cookies| (COOKIE, cookies));
        let id = self.id_header().cloned().zip(kept.id.clone());
        cookies.into_iter().chain(id).collect()
    }

    /// Keeps what the headers of a response say.
    fn keep(&self, headers: &HeaderMap) {
        let mut kept = self.kept();
        for set_cookie in headers.get_all(SET_COOKIE) {
            kept.set_cookie(&String::from_utf8_lossy(set_cookie.as_bytes()));
        }
        if let Some(id) = self.id_header().and_then(|name| headers.get(name)) {
            kept.id = Some(id.clone());
        }
    }

    /// The header of the session's id, if the layer has no cookie.
    fn id_header(&self) -> Option<&HeaderName> {
        let name = self.sessions.settings().transports.get(Choice::Main).request_header();
        Some(name).filter(|name| *name != COOKIE)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn set_cookie(&mut self, set_cookie: &str) {
        let (pair, attributes) = set_cookie.split_once(';').unwrap_or((set_cookie, ""));
        let Some((name, value)) = pair.split_once('=') else { return };
        let is_removal =
            attributes.split(';').any(|it| it.trim().eq_ignore_ascii_case("max-age=0"));
        match is_removal {
            true => self.cookies.remove(name),
            false => self.cookies.insert(name.to_owned(), value.to_owned()),
        };
    }
}

impl fmt::Debug for TestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.kept().cookies.keys().cloned().collect();
        f.debug_struct("TestClient").field("cookies", &names).finish_non_exhaustive()
    }
}

fn request(method: Method, path: &str, body: Body) -> Request<Body> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = expect("read the path", path.parse());
    request
}

async fn call<S, B>(mut app: S, request: Request<Body>) -> Response<String>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
    B: http_body::Body<Data = Bytes, Error: fmt::Display>,
{
    let Ok(()) = poll_fn(|context| app.poll_ready(context)).await;
    let Ok(response) = app.call(request).await;
    let (head, body) = response.into_parts();
    let mut body = pin!(body);
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        if let Ok(data) = expect("read the body of the response", frame).into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    Response::from_parts(head, String::from_utf8_lossy(&bytes).into_owned())
}

#[expect(clippy::panic, reason = "it is for tests, which fail by a panic")]
#[track_caller]
fn expect<T, E: fmt::Display>(action: &str, result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("the test client cannot {action}: {error}"))
}
