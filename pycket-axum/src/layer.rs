use std::sync::Arc;

use pycket_cookie::SessionCookie;
use pycket_core::{Error, SessionManager};
use tower_layer::Layer;

use crate::SessionService;
use crate::event_log::log_event;

/// Gives every request a session. Add it around all routes that use the [`Session`](crate::Session)
/// extractor, and inside of layers that abandon handlers, such as a timeout.
///
/// The layer works for every [`tower_service::Service`] over [`http`] types, not only axum's, and for every
/// response body. A request that does not use the session costs no store call and gets no header. After the
/// handler returns, and before the response leaves, the layer commits the session; if the commit fails, the
/// response is a 503.
///
/// A layer inside of another one with the same cookie name does nothing: its requests have the session of the
/// outer layer. Layers with different cookie names give a request several sessions; see
/// [`SessionHandle::named`](crate::SessionHandle::named).
///
/// ```
/// use pycket_axum::SessionLayer;
/// use pycket_cookie::{CookieSettings, KeyRing, SessionCookie};
/// use pycket_core::{MemoryStore, SessionManager};
///
/// let manager = SessionManager::new(MemoryStore::new());
/// let keys = KeyRing::new("a secret of at least thirty-two bytes")?;
/// let cookie = SessionCookie::new(CookieSettings::default(), &keys);
/// let layer = SessionLayer::builder(manager, cookie).commit_on_server_error(true).build()?;
/// let app: axum::Router = axum::Router::new().layer(layer);
/// # Ok::<(), pycket_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias("AuthManagerLayer", "SessionManagerLayer", "SessionMiddleware"))]
pub struct SessionLayer(Arc<Settings>);

/// Collects the settings of a [`SessionLayer`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SessionLayerBuilder(Settings);

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) manager: SessionManager,
    pub(crate) cookie: SessionCookie,
    pub(crate) commit_on_server_error: bool,
}

impl SessionLayer {
    /// A layer with the default settings: `manager` opens the sessions, `cookie` carries their ids.
    ///
    /// It logs the events of the manager with `tracing`. Observers of the manager get them, too.
    pub fn new(manager: SessionManager, cookie: SessionCookie) -> Self {
        Self(Arc::new(Self::builder(manager, cookie).0))
    }

    /// A builder for other settings than those of [`new`](Self::new).
    pub fn builder(manager: SessionManager, cookie: SessionCookie) -> SessionLayerBuilder {
        let manager = manager.on_event(log_event);
        SessionLayerBuilder(Settings { manager, cookie, commit_on_server_error: false })
    }
}

impl SessionLayerBuilder {
    /// Whether a response with a server error (5xx) or 408 commits the session.
    ///
    /// By default not, because a request that failed should leave no changes; only a
    /// [`destroy`](pycket_core::Session::destroy) is carried out. A 408 counts as a failure, because timeouts
    /// respond with it for handlers that did not finish.
    pub fn commit_on_server_error(mut self, commit: bool) -> Self {
        self.0.commit_on_server_error = commit;
        self
    }

    /// The layer. No value of the present settings is an error.
    pub fn build(self) -> Result<SessionLayer, Error> {
        Ok(SessionLayer(Arc::new(self.0)))
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService { inner, settings: Arc::clone(&self.0) }
    }
}
