use std::error::Error as _;

use axum_core::body::Body;
use axum_core::response::IntoResponse;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use pycket_core::{Error, ErrorKind};

use crate::SessionBody;

const MISSING_LAYER: &str = "no session layer is around this route: add \
    `.layer(SessionLayer::new(store, secret)?)` to the router, below the routes that use the session\n";

/// A session error that is also a response. Handlers return it with `?`.
///
/// | error | status |
/// |---|---|
/// | the store failed: `Unavailable`, `Ambiguous`, `Full`, `Conflict` | 503 |
/// | the session ended during the request: `Ended` | 409 |
/// | the layer is missing, and all other errors | 500 |
///
/// The body is one fixed sentence, which does not show the error. The error and its sources are logged with `tracing`
/// at level `ERROR`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// No [`SessionLayer`](crate::SessionLayer) is around the route.
    #[error("{}", MISSING_LAYER.trim_end())]
    MissingLayer,
    /// The session or its store failed.
    #[error(transparent)]
    Session(#[from] Error),
}

impl SessionError {
    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        self.status_and_body().0
    }

    fn status_and_body(&self) -> (StatusCode, &'static str) {
        use ErrorKind::{Ambiguous, Conflict, Ended, Full, Unavailable};
        match self.kind() {
            Some(Unavailable | Ambiguous | Full | Conflict) => {
                (StatusCode::SERVICE_UNAVAILABLE, "the session store is not available\n")
            }
            Some(Ended) => {
                (StatusCode::CONFLICT, "the session ended while the request was running\n")
            }
            Some(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the session cannot be used\n"),
            // For the developer: it contains nothing about a client.
            None => (StatusCode::INTERNAL_SERVER_ERROR, MISSING_LAYER),
        }
    }

    fn kind(&self) -> Option<ErrorKind> {
        match self {
            Self::MissingLayer => None,
            Self::Session(error) => Some(error.kind()),
        }
    }

    /// The response after a commit that failed. A server error of the handler says more, so it stays.
    pub(crate) fn replace<B>(
        &self,
        response: Response<SessionBody<B>>,
    ) -> Response<SessionBody<B>> {
        if response.status().is_server_error() {
            self.log();
            return response;
        }
        self.response(SessionBody::error)
    }

    fn response<B>(&self, body: impl FnOnce(&'static str) -> B) -> Response<B> {
        self.log();
        let (status, text) = self.status_and_body();
        let mut response = Response::new(body(text));
        *response.status_mut() = status;
        let plain_text = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, plain_text);
        response
    }

    /// Logs the error and its sources.
    pub(crate) fn log(&self) {
        let sources = std::iter::successors(self.source(), |error| (*error).source());
        let message = sources.fold(self.to_string(), |text, source| format!("{text}: {source}"));
        tracing::error!(kind = ?self.kind(), "{message}");
    }
}

impl IntoResponse for SessionError {
    fn into_response(self) -> axum_core::response::Response {
        self.response(Body::from)
    }
}
