//! Refuses forms that pages of other origins send, also those of other subdomains. So no form needs a token.

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub(crate) async fn check(request: Request, next: Next) -> Response {
    let only_reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if only_reads || is_from_here(request.headers()) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "This request comes from another site.\n").into_response()
}

fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text("sec-fetch-site"), text(ORIGIN.as_str())) {
        (Some(site), _) => site == "same-origin" || site == "none",
        // A browser from before 2023.
        (None, Some(origin)) => match (origin.split_once("://"), text(HOST.as_str())) {
            (Some((_, from)), Some(host)) => from == host,
            _ => false,
        },
        // Not a browser.
        (None, None) => true,
    }
}
