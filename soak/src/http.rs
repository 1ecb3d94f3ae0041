//! A client of HTTP/1.1 that can stop in the middle of a request.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// The header that says how many store calls of the request failed.
pub(crate) const FAILED: &str = "x-failed";

/// The header that says how many store calls of the request ended with an unknown result.
pub(crate) const AMBIGUOUS: &str = "x-ambiguous";

/// What the client learned of its request.
#[derive(Debug)]
pub(crate) enum Answer {
    Response(Response),
    /// The request was sent, at least in part, and no response came.
    Lost,
    /// As [`Lost`](Self::Lost), and the client has waited as long as it does.
    Hung,
    /// The server accepted no connection.
    NotSent,
}

impl Answer {
    /// For the explanation of a finding.
    pub(crate) fn summary(&self) -> String {
        let Self::Response(Response { status, ambiguous, cookie, .. }) = self else {
            return format!("{self:?}");
        };
        let cookie = if cookie.is_some() { " with a cookie" } else { "" };
        format!("{status}{cookie}, {ambiguous} ambiguous")
    }
}

#[derive(Debug, Default)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// The store calls that failed.
    pub(crate) failed: u32,
    /// The store calls whose result was unknown.
    pub(crate) ambiguous: u32,
    /// The cookie, as a browser sends it back.
    pub(crate) cookie: Option<String>,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn is_ok(&self) -> bool {
        self.status == 200
    }

    /// Whether the request certainly changed nothing.
    pub(crate) fn is_certain_refusal(&self) -> bool {
        !self.is_ok() && self.ambiguous == 0
    }

    /// Whether the server says that the session had ended before the request changed it.
    pub(crate) fn says_ended(&self) -> bool {
        self.status == 409
    }
}

/// How a client behaves while it sends a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    Plain,
    /// It sends the request in pieces, with this pause between them.
    Slow(Duration),
    /// It closes the connection this time after it has sent the request.
    Cancel(Duration),
}

/// A connection to one server, which is opened when it is needed.
#[derive(Debug)]
pub(crate) struct Connection {
    address: SocketAddr,
    limit: Duration,
    stream: Option<TcpStream>,
}

impl Connection {
    pub(crate) fn new(address: SocketAddr, limit: Duration) -> Self {
        Self { address, limit, stream: None }
    }

    pub(crate) async fn send(
        &mut self,
        (method, path): (&str, &str),
        cookie: Option<&str>,
        manner: Manner,
    ) -> Answer {
        let Some(mut stream) = self.connect().await else { return Answer::NotSent };
        let cookie = cookie.map(|cookie| format!("Cookie: {cookie}\r\n")).unwrap_or_default();
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: soak\r\n{cookie}Content-Length: 0\r\n\r\n");
        let begin = Instant::now();
        match timeout(self.limit, exchange(&mut stream, request.as_bytes(), manner)).await {
            Ok(Some(response)) => {
                self.stream = Some(stream);
                Answer::Response(response)
            }
            Ok(None) => Answer::Lost,
            // A paused program notices the time only later: then the server is not to blame.
            Err(_) if begin.elapsed() > self.limit + Duration::from_secs(2) => Answer::Lost,
            Err(_) => Answer::Hung,
        }
    }

    async fn connect(&mut self) -> Option<TcpStream> {
        if let Some(stream) = self.stream.take() {
            return Some(stream);
        }
        let stream = timeout(self.limit, TcpStream::connect(self.address)).await.ok()?.ok()?;
        stream.set_nodelay(true).ok()?;
        Some(stream)
    }
}

async fn exchange(stream: &mut TcpStream, request: &[u8], manner: Manner) -> Option<Response> {
    if let Manner::Slow(pause) = manner {
        for piece in request.chunks(request.len() / 3) {
            stream.write_all(piece).await.ok()?;
            sleep(pause).await;
        }
    } else {
        stream.write_all(request).await.ok()?;
    }
    match manner {
        Manner::Cancel(after) => timeout(after, read(stream)).await.ok().flatten(),
        _ => read(stream).await,
    }
}

async fn read(stream: &mut TcpStream) -> Option<Response> {
    let mut bytes = Vec::with_capacity(1024);
    let head_length = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut response = Response::default();
    let head = String::from_utf8(bytes.get(..head_length)?.to_vec()).ok()?;
    let mut lines = head.lines();
    response.status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut body_length = 0;
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        match name.to_ascii_lowercase().as_str() {
            "content-length" => body_length = value.parse().ok()?,
            FAILED => response.failed = value.parse().ok()?,
            AMBIGUOUS => response.ambiguous = value.parse().ok()?,
            "set-cookie" => response.cookie = Some(value.split(';').next()?.to_owned()),
            _ => {}
        }
    }
    while bytes.len() < head_length + body_length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    response.body = String::from_utf8(bytes.get(head_length..)?.to_vec()).ok()?;
    Some(response)
}
