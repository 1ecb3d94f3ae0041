use std::sync::Mutex;

use ureq::http::Request;

/// A browser without a page: it keeps the cookie of the shop, sends forms and follows redirects.
pub(crate) struct Client {
    agent: ureq::Agent,
    shop: String,
    cookie: Mutex<Option<String>>,
}

impl Client {
    pub(crate) fn new(shop: &str) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
        let agent = config.max_redirects_will_error(false).build().into();
        Self { agent, shop: shop.to_owned(), cookie: Mutex::default() }
    }

    /// The same browser, at the shop under another address.
    pub(crate) fn at(&self, shop: &str) -> Self {
        Self { cookie: Mutex::new(self.cookie()), ..Self::new(shop) }
    }

    pub(crate) fn get(&self, path: &str) -> String {
        self.follow(Request::get(format!("{}{path}", self.shop)), "").1
    }

    /// Sends a form, and returns the page to which it leads.
    pub(crate) fn submit(&self, path: &str, form: &str) -> String {
        let (status, body) = self.try_submit(path, form);
        assert_eq!(status, 200, "{body}");
        body
    }

    /// The status and the body of a form that may be refused.
    pub(crate) fn try_submit(&self, path: &str, form: &str) -> (u16, String) {
        self.follow(self.form(path), form)
    }

    /// Sends a form from a page of another site, and returns the status.
    pub(crate) fn submit_from_another_site(&self, path: &str, form: &str) -> u16 {
        self.follow(self.form(path).header("sec-fetch-site", "cross-site"), form).0
    }

    pub(crate) fn sign_in(&self, name: &str) -> String {
        self.submit("/sign-in", &format!("name={name}&password=clay+and+fire&next=/"))
    }

    /// The value of the cookie.
    pub(crate) fn cookie(&self) -> Option<String> {
        self.cookie.lock().unwrap().clone()
    }

    fn form(&self, path: &str) -> ureq::http::request::Builder {
        let content_type = "application/x-www-form-urlencoded";
        Request::post(format!("{}{path}", self.shop)).header("content-type", content_type)
    }

    /// The status and the body of the last response.
    fn follow(&self, mut request: ureq::http::request::Builder, form: &str) -> (u16, String) {
        request = request.header("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0");
        if let Some(cookie) = self.cookie() {
            request = request.header("cookie", cookie);
        }
        let (head, mut body) = self.agent.run(request.body(form).unwrap()).unwrap().into_parts();
        if let Some(set_cookie) = head.headers.get("set-cookie") {
            let set_cookie = set_cookie.to_str().unwrap();
            let pair = set_cookie.split(';').next().unwrap().to_owned();
            *self.cookie.lock().unwrap() = (!set_cookie.contains("Max-Age=0")).then_some(pair);
        }
        match head.headers.get("location") {
            Some(path) => {
                let url = format!("{}{}", self.shop, path.to_str().unwrap());
                self.follow(Request::get(url), "")
            }
            None => (head.status.as_u16(), body.read_to_string().unwrap()),
        }
    }
}
