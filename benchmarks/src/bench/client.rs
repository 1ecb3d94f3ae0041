use anyhow::{Context, Result, bail, ensure};
use http::header::{CONTENT_LENGTH, COOKIE, HOST, HeaderValue, SET_COOKIE};
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Route;

/// A cookie as long as a signed one, for servers that issue none: all servers receive as many bytes.
const DUMMY: &str =
    "none=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789";

/// A client with its own connection and its own cookie. It checks every response.
pub(crate) struct Client {
    connection: SendRequest<Empty<Bytes>>,
    host: HeaderValue,
    cookie: Option<HeaderValue>,
    visits: u64,
    /// A server without sessions has one counter for all clients and sets no cookie.
    has_session: bool,
}

impl Client {
    /// Connects and sends the first request.
    pub(crate) async fn connect(address: &str, has_session: bool) -> Result<Self> {
        let stream =
            TcpStream::connect(address).await.context("the server accepts no connection")?;
        stream.set_nodelay(true)?;
        let (connection, driver) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(driver);
        let host = HeaderValue::from_str(address)?;
        let mut client = Self { connection, host, cookie: None, visits: 0, has_session };
        client.request(Route::First).await?;
        if !has_session {
            client.cookie = Some(HeaderValue::from_static(DUMMY));
        }
        Ok(client)
    }

    /// Sends one request, waits for the response, and checks its status, body and cookie.
    pub(crate) async fn request(&mut self, route: Route) -> Result<()> {
        let response = self.connection.send_request(self.request_to(route)?).await;
        let response = response.with_context(|| format!("no response to `{}`", route.name()))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        ensure!(head.status.is_success(), "`{}` returned {}", route.name(), head.status);
        let cookie = set_cookie(&head.headers)?;
        if self.has_session {
            self.check(route, &body, cookie.as_ref())?;
        } else {
            ensure!(
                cookie.is_none() && !body.is_empty(),
                "`{}` returned a wrong response",
                route.name()
            );
        }
        if cookie.is_some() {
            self.cookie = cookie;
        }
        Ok(())
    }

    fn request_to(&self, route: Route) -> Result<Request<Empty<Bytes>>> {
        let method = match route {
            Route::Untouched | Route::Read => Method::GET,
            Route::Write | Route::Login | Route::First => Method::POST,
        };
        let mut request =
            Request::builder().method(&method).uri(route.path()).header(HOST, &self.host);
        if method == Method::POST {
            request = request.header(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        match &self.cookie {
            Some(cookie) if route != Route::First => request = request.header(COOKIE, cookie),
            _ => {}
        }
        Ok(request.body(Empty::new())?)
    }

    fn check(&mut self, route: Route, body: &[u8], cookie: Option<&HeaderValue>) -> Result<()> {
        match route {
            Route::First => self.visits = 1,
            Route::Write | Route::Login => self.visits += 1,
            Route::Untouched | Route::Read => {}
        }
        let number = self.visits.to_string();
        let expected = if route == Route::Untouched { "ok" } else { &number };
        if body != expected.as_bytes() {
            let body = String::from_utf8_lossy(body);
            bail!("`{}` returned `{body}` instead of `{expected}`", route.name());
        }
        if matches!(route, Route::First | Route::Login) {
            ensure!(cookie.is_some(), "`{}` set no cookie", route.name());
            ensure!(cookie != self.cookie.as_ref(), "`{}` did not change the id", route.name());
        }
        Ok(())
    }
}

/// The cookies of a response, as a browser sends them back.
fn set_cookie(headers: &HeaderMap) -> Result<Option<HeaderValue>> {
    let mut cookies = Vec::new();
    for header in headers.get_all(SET_COOKIE) {
        let header = header.to_str()?;
        cookies.push(header.split(';').next().unwrap_or(header));
    }
    if cookies.is_empty() {
        return Ok(None);
    }
    Ok(Some(HeaderValue::from_str(&cookies.join("; "))?))
}
