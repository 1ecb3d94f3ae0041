use axum_core::response::IntoResponse;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use pycket_core::{Error, ErrorKind};

/// A session error as a response. Handlers return it with `?`.
///
/// | error | status |
/// |---|---|
/// | the store failed: `Unavailable`, `Ambiguous`, `Full`, `Conflict` | 503 |
/// | the session ended meanwhile: `Ended` | 409 |
/// | the layer is missing, and everything else | 500 |
///
/// The body says no more than that. The whole story goes to `tracing`, as an error.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SessionError(Cause);

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(
        "no session layer: add `pycket_axum::SessionLayer` around the routes that use `Session`"
    )]
    MissingLayer,
    #[error(transparent)]
    Session(#[from] Error),
}

impl SessionError {
    pub(crate) const fn missing_layer() -> Self {
        Self(Cause::MissingLayer)
    }

    /// The session error; `None` if there is no session, for want of the layer.
    pub fn session_error(&self) -> Option<&Error> {
        match &self.0 {
            Cause::Session(error) => Some(error),
            Cause::MissingLayer => None,
        }
    }

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        match self.session_error().map(Error::kind) {
            Some(
                ErrorKind::Unavailable
                | ErrorKind::Ambiguous
                | ErrorKind::Full
                | ErrorKind::Conflict,
            ) => StatusCode::SERVICE_UNAVAILABLE,
            Some(ErrorKind::Ended) => StatusCode::CONFLICT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The response instead of one that can no longer be given.
    pub(crate) fn replace<B: From<&'static str>>(&self, replaced: Response<B>) -> Response<B> {
        // An error of the handler says more than one of ours.
        if replaced.status().is_server_error() {
            self.report();
            return replaced;
        }
        self.response()
    }

    fn response<B: From<&'static str>>(&self) -> Response<B> {
        self.report();
        let status = self.status();
        let body = match (&self.0, status) {
            // For the developer: without the layer there is no visitor yet to whom it could tell anything.
            (Cause::MissingLayer, _) => {
                "no session layer: add pycket_axum::SessionLayer around the routes that use Session\n"
            }
            (_, StatusCode::SERVICE_UNAVAILABLE) => "the session store is not available\n",
            (_, StatusCode::CONFLICT) => "the session ended while the request was running\n",
            _ => "the session cannot be used\n",
        };
        let mut response = Response::new(B::from(body));
        *response.status_mut() = status;
        let plain_text = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, plain_text);
        response
    }

    /// For the operator: the whole story.
    pub(crate) fn report(&self) {
        let mut story = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            story.push_str(": ");
            story.push_str(&error.to_string());
            source = error.source();
        }
        tracing::error!(kind = ?self.session_error().map(Error::kind), "{story}");
    }
}

impl From<Error> for SessionError {
    fn from(error: Error) -> Self {
        Self(Cause::Session(error))
    }
}

impl IntoResponse for SessionError {
    fn into_response(self) -> axum_core::response::Response {
        self.response()
    }
}
