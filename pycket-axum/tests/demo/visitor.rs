use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::{HeaderMap, Request};

/// Longer than the slowest answer on a busy machine; what takes longer hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// A browser with its one cookie: follows no redirect, and may ask from many threads at once.
pub(crate) struct Visitor {
    agent: ureq::Agent,
    site: String,
    cookie: Mutex<Option<String>>,
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Visitor {
    pub(crate) fn new(site: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(LIMIT));
        Self { agent: config.build().into(), site: site.to_owned(), cookie: Mutex::default() }
    }

    /// The same visitor at another server of the application, or after a restart.
    pub(crate) fn at(&self, site: &str) -> Self {
        Self::new(site).with_cookie(self.cookie())
    }

    pub(crate) fn with_cookie(self, cookie: Option<String>) -> Self {
        *self.cookie.lock().unwrap() = cookie;
        self
    }

    /// The `name=value` that it has.
    pub(crate) fn cookie(&self) -> Option<String> {
        self.cookie.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, "")
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None, "")
    }

    pub(crate) fn put(&self, path: &str, body: &str) -> Answer {
        self.send("PUT", path, Some("application/json"), body)
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, Some("application/json"), body)
    }

    /// A form sent by a browser; the fields are encoded already.
    pub(crate) fn submit(&self, path: &str, form: &str) -> Answer {
        self.send("POST", path, Some("application/x-www-form-urlencoded"), form)
    }

    /// What the session holds.
    pub(crate) fn data(&self) -> Value {
        let answer = self.get("/api/session");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["data"].clone()
    }

    /// One more in `name`.
    pub(crate) fn increment(&self, name: &str) -> Answer {
        self.post(&format!("/api/session/{name}/increment"), "")
    }

    fn send(&self, method: &str, path: &str, content_type: Option<&str>, body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.site));
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
        let answer = Answer { status: head.status.as_u16(), headers: head.headers, body };
        self.keep(&answer);
        answer
    }

    fn keep(&self, answer: &Answer) {
        if let Some(set_cookie) = answer.set_cookie() {
            let pair = set_cookie.split(';').next().unwrap().to_owned();
            let is_removal = set_cookie.contains("Max-Age=0");
            *self.cookie.lock().unwrap() = (!is_removal).then_some(pair);
        }
    }
}

impl Answer {
    /// The one cookie that it sets.
    pub(crate) fn set_cookie(&self) -> Option<&str> {
        let mut cookies = self.headers.get_all("set-cookie").iter();
        let cookie = cookies.next()?.to_str().unwrap();
        assert!(cookies.next().is_none(), "more than one cookie: {:?}", self.headers);
        Some(cookie)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// That it is this error, as the JSON interface tells it.
    #[track_caller]
    pub(crate) fn assert_error(&self, status: u16, message: &str) {
        assert_eq!((self.status, self.json()), (status, json!({ "error": message })));
    }

    #[track_caller]
    pub(crate) fn assert_status(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
    }
}
