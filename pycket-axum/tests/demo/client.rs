use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pycket_core::{KeySpace, SessionId};
use serde_json::{Value, json};
use ureq::http::{HeaderMap, Request};

/// The maximum time of a request, even on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A browser with one cookie. It follows no redirects, and threads can share it.
pub(crate) struct Client {
    agent: ureq::Agent,
    site: String,
    cookie: Mutex<Option<String>>,
    user_agent: &'static str,
}

/// A response with its whole body.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Client {
    /// A client with a new connection for each request. A server that does not read a whole body closes the
    /// connection, perhaps while the next request is sent on it.
    pub(crate) fn new(site: &str) -> Self {
        Self::with_idle_connections(site, 0)
    }

    /// A client that keeps its connection, for many requests whose bodies the server reads.
    pub(crate) fn with_keep_alive(site: &str) -> Self {
        Self::with_idle_connections(site, 1)
    }

    fn with_idle_connections(site: &str, idle_connections: usize) -> Self {
        let config = ureq::Agent::config_builder()
            .max_idle_connections(idle_connections)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(LIMIT));
        Self {
            agent: config.build().into(),
            site: site.to_owned(),
            cookie: Mutex::default(),
            user_agent: "test/1.0",
        }
    }

    /// A client with the same cookie at another server, or at the same one after a restart.
    pub(crate) fn at(&self, site: &str) -> Self {
        Self::new(site).with_cookie(self.cookie())
    }

    pub(crate) fn with_cookie(self, cookie: Option<String>) -> Self {
        *self.cookie.lock().unwrap() = cookie;
        self
    }

    pub(crate) fn with_user_agent(self, user_agent: &'static str) -> Self {
        Self { user_agent, ..self }
    }

    /// The `name=value` of the cookie.
    pub(crate) fn cookie(&self) -> Option<String> {
        self.cookie.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The id in the cookie.
    pub(crate) fn id(&self) -> SessionId {
        let cookie = self.cookie().unwrap();
        cookie[cookie.len() - SessionId::TEXT_LEN..].parse().unwrap()
    }

    /// The key under which the store has the session.
    pub(crate) fn key(&self) -> String {
        KeySpace::new(KeySpace::DEFAULT_PREFIX, KeySpace::SESSIONS).key(&self.id())
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.send("GET", path, None, "")
    }

    pub(crate) fn delete(&self, path: &str) -> Response {
        self.send("DELETE", path, None, "")
    }

    pub(crate) fn put(&self, path: &str, body: &str) -> Response {
        self.send("PUT", path, Some("application/json"), body)
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Response {
        self.send("POST", path, Some("application/json"), body)
    }

    /// Submits a form whose fields are already encoded.
    pub(crate) fn submit(&self, path: &str, form: &str) -> Response {
        self.send("POST", path, Some("application/x-www-form-urlencoded"), form)
    }

    /// The values of the session.
    pub(crate) fn data(&self) -> Value {
        let response = self.get("/api/session");
        assert_eq!(response.status, 200, "{response:?}");
        response.json()["data"].clone()
    }

    /// Increments the number `name`.
    pub(crate) fn increment(&self, name: &str) -> Response {
        self.post(&format!("/api/session/{name}/increment"), "")
    }

    fn send(&self, method: &str, path: &str, content_type: Option<&str>, body: &str) -> Response {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.site));
        request = request.header("user-agent", self.user_agent);
        if let Some(cookie) = self.cookie() {
            request = request.header("cookie", cookie);
        }
        let response = match content_type {
            Some(content_type) => {
                let request = request.header("content-type", content_type).body(body).unwrap();
                self.agent.run(request)
            }
            None => self.agent.run(request.body(()).unwrap()),
        };
        let (head, mut body) =
            response.unwrap_or_else(|e| panic!("{method} {path}: {e}")).into_parts();
        let body = body.read_to_string().unwrap();
        let response = Response { status: head.status.as_u16(), headers: head.headers, body };
        self.store_cookie(&response);
        response
    }

    fn store_cookie(&self, response: &Response) {
        if let Some(set_cookie) = response.set_cookie() {
            let pair = set_cookie.split(';').next().unwrap().to_owned();
            let is_removal = set_cookie.contains("Max-Age=0");
            *self.cookie.lock().unwrap() = (!is_removal).then_some(pair);
        }
    }
}

impl Response {
    /// The cookie that the response sets; fails if there are several.
    pub(crate) fn set_cookie(&self) -> Option<&str> {
        let mut cookies = self.headers.get_all("set-cookie").iter();
        let cookie = cookies.next()?.to_str().unwrap();
        assert!(cookies.next().is_none(), "more than one cookie: {:?}", self.headers);
        Some(cookie)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts that the response is this error of the JSON interface.
    #[track_caller]
    pub(crate) fn assert_error(&self, status: u16, message: &str) {
        assert_eq!((self.status, self.json()), (status, json!({ "error": message })));
    }

    #[track_caller]
    pub(crate) fn assert_status(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
    }
}
