use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use pycket_cookie::SessionCookie;
use pycket_core::SessionManager;
use tower_layer::Layer;
use tower_service::Service;

use crate::trace::trace;
use crate::{SessionFuture, SessionHandle};

/// Gives every request a session: add it once, around all routes that use the
/// [`Session`](crate::Session) extractor.
///
/// It is plain tower and works for any [`http`] service. A request that never asks for the session costs
/// no store call and gets no header. What a handler changed is stored when it has answered and before
/// the response leaves; if that fails, the response is a 503.
///
/// A response with a server error (5xx) stores nothing, because a failed request should leave no trace;
/// only a [`destroy`](pycket_core::Session::destroy) is carried out. See
/// [`commit_on_server_error`](Self::commit_on_server_error).
///
/// ```
/// use std::sync::Arc;
/// use pycket_axum::SessionLayer;
/// use pycket_cookie::{CookieSettings, KeyRing, SessionCookie};
/// use pycket_core::{MemoryStore, SessionManager};
///
/// let manager = SessionManager::new(Arc::new(MemoryStore::new()));
/// let keys = KeyRing::new("a secret of at least thirty-two bytes")?;
/// let app: axum::Router = axum::Router::new()
///     .layer(SessionLayer::new(manager, SessionCookie::new(CookieSettings::default(), &keys)));
/// # Ok::<(), pycket_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SessionLayer {
    settings: Arc<Settings>,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) manager: SessionManager,
    pub(crate) cookie: SessionCookie,
    pub(crate) commit_on_server_error: bool,
}

impl SessionLayer {
    /// Sessions opened by `manager`, for visitors who are known by `cookie`.
    ///
    /// The manager's events go to `tracing` from here on, besides those who listen already.
    pub fn new(manager: SessionManager, cookie: SessionCookie) -> Self {
        let manager = manager.on_event(trace);
        Self { settings: Arc::new(Settings { manager, cookie, commit_on_server_error: false }) }
    }

    /// Whether changes are stored although the response is a server error (5xx); by default not.
    #[must_use]
    pub fn commit_on_server_error(mut self, commit: bool) -> Self {
        Arc::make_mut(&mut self.settings).commit_on_server_error = commit;
        self
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService { inner, settings: Arc::clone(&self.settings) }
    }
}

/// The service that [`SessionLayer`] makes.
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SessionService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: From<&'static str>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = SessionFuture<S::Future, ResBody, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let handle = SessionHandle::new(Arc::clone(&self.settings), request.headers());
        request.extensions_mut().insert(handle.clone());
        SessionFuture::new(self.inner.call(request), handle)
    }
}
