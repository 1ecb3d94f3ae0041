use std::sync::Arc;

use pycket_cookie::{CookieSettings, KeyRing, KeyRingBuilder, SessionCookie, SessionHeader};
use pycket_core::{Error, ErrorKind, SessionManager};
use tower_layer::Layer;

use crate::SessionService;
use crate::event_log::log_event;
use crate::transport::Transports;

/// Gives every request a session. Add it around all routes that use the [`Session`](crate::Session)
/// extractor, and inside of layers that abandon handlers, such as a timeout.
///
/// The layer works for every [`tower_service::Service`] over [`http`] types, not only axum's, and for every
/// response body. A request that does not use the session costs no store call and gets no header. After the
/// handler returns, and before the response leaves, the layer commits the session; if the commit fails, the
/// response is that of the [`SessionError`](crate::SessionError): a 503 if the store failed.
///
/// A layer inside of another one with the same cookie name does nothing: its requests have the session of the
/// outer layer. Layers with different cookie names give a request several sessions; see
/// [`SessionHandle::named`](crate::SessionHandle::named).
///
/// ```
/// use pycket_axum::{CookieSettings, Expiry, MemoryStore, SessionLayer, SessionManager};
///
/// # let secret = "at least 32 random bytes, from your configuration";
/// // A store and a secret are enough.
/// let layer = SessionLayer::new(MemoryStore::new(), secret)?;
///
/// // All other settings: the manager decides when sessions end, the layer how their ids travel.
/// let manager = SessionManager::builder(MemoryStore::new()).expiry(Expiry::aal2()).build()?;
/// let layer = SessionLayer::builder(manager)
///     .secret(secret)
///     .cookie(CookieSettings::hardened())
///     .build()?;
/// let app: axum::Router = axum::Router::new().layer(layer);
/// # Ok::<(), pycket_axum::Error>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias("AuthManagerLayer", "SessionManagerLayer", "SessionMiddleware"))]
pub struct SessionLayer(Arc<Settings>);

/// Collects the settings of a [`SessionLayer`].
///
/// | setting | default | reason |
/// |---|---|---|
/// | [`secret`](Self::secret) or [`keys`](Self::keys) | none: one is required | a secret that others know protects nothing |
/// | [`cookie`](Self::cookie) | [`CookieSettings::default`] | its own table says why |
/// | [`header`](Self::header) | none | browsers have cookies; other clients may need a header |
/// | [`without_cookie`](Self::without_cookie) | no | browsers have no other safe place for an id |
/// | [`commit_on_server_error`](Self::commit_on_server_error) | no | a request that failed leaves no changes |
///
/// The store, the timeouts and the observers of events belong to the [`SessionManager`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SessionLayerBuilder {
    manager: SessionManager,
    keys: Option<KeyRingBuilder>,
    cookie: Option<CookieSettings>,
    header: Option<String>,
    commit_on_server_error: bool,
}

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) manager: SessionManager,
    pub(crate) transports: Transports,
    pub(crate) commit_on_server_error: bool,
}

impl SessionLayer {
    /// A layer with the default settings, over a store or a [`SessionManager`]. `secret` signs the cookies; see
    /// [`SessionLayerBuilder::secret`].
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`](ErrorKind::InvalidSetting) if the secret has less than 32 bytes.
    pub fn new(
        sessions: impl Into<SessionManager>,
        secret: impl AsRef<[u8]>,
    ) -> Result<Self, Error> {
        Self::builder(sessions).secret(secret).build()
    }

    /// A builder for other settings than those of [`new`](Self::new). `sessions` is a store, or a
    /// [`SessionManager`] if the timeouts are not the default ones.
    ///
    /// The layer logs the events of the manager with `tracing`. Observers of the manager get them, too.
    pub fn builder(sessions: impl Into<SessionManager>) -> SessionLayerBuilder {
        SessionLayerBuilder {
            manager: sessions.into().on_event(log_event),
            keys: None,
            cookie: Some(CookieSettings::default()),
            header: None,
            commit_on_server_error: false,
        }
    }

    /// The manager that opens the sessions of this layer, for work outside of requests. It logs events as the
    /// layer does.
    pub fn manager(&self) -> &SessionManager {
        &self.0.manager
    }

    #[cfg(feature = "test-client")]
    pub(crate) fn settings(&self) -> &Arc<Settings> {
        &self.0
    }
}

impl SessionLayerBuilder {
    /// The secret that signs the cookies: at least 32 random bytes, for example from `openssl rand -base64 48`.
    /// All servers of the application use the same one, and keep it over restarts.
    ///
    /// It replaces earlier [`keys`](Self::keys).
    #[doc(alias("cookie_secret", "key", "with_signed"))]
    pub fn secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.keys = Some(KeyRing::builder(secret));
        self
    }

    /// More than one secret, to replace one without ending sessions: the first one signs, all of them verify.
    ///
    /// It replaces an earlier [`secret`](Self::secret).
    pub fn keys(mut self, keys: KeyRing) -> Self {
        self.keys = Some(keys.to_builder());
        self
    }

    /// Name and attributes of the cookie; by default [`CookieSettings::default`].
    pub fn cookie(mut self, settings: CookieSettings) -> Self {
        self.cookie = Some(settings);
        self
    }

    /// A header for clients without a cookie jar, for example `Session-Id`: mobile applications and other
    /// services. The cookie stays for all other clients, over the same store.
    ///
    /// A request that has the header, even with an empty value, uses only the header, and its response gives a new
    /// id in the same header. A client that has no id yet sends it empty; an empty value in a response means
    /// that the client has no session any more. All other requests use only the cookie. No id is valid in the
    /// other place.
    ///
    /// Browsers do not add such a header by themselves, so a request with it needs no protection against
    /// cross-site request forgery, and one without it still does. The README says what else to consider.
    ///
    /// ```
    /// use pycket_axum::{MemoryStore, SessionLayer};
    ///
    /// # let secret = "at least 32 random bytes, from your configuration";
    /// let for_both = SessionLayer::builder(MemoryStore::new()).secret(secret).header("Session-Id").build()?;
    /// # Ok::<(), pycket_axum::Error>(())
    /// ```
    pub fn header(mut self, name: impl Into<String>) -> Self {
        self.header = Some(name.into());
        self
    }

    /// Uses only the [`header`](Self::header), for an application without browsers. Every request uses it then,
    /// also one that does not have it, and a new session gets its id there.
    ///
    /// It replaces an earlier [`cookie`](Self::cookie).
    pub fn without_cookie(mut self) -> Self {
        self.cookie = None;
        self
    }

    /// Whether a response with a server error (5xx) or 408 commits the session.
    ///
    /// By default not, because a request that failed should leave no changes; only a
    /// [`destroy`](pycket_core::Session::destroy) is carried out. A 408 counts as a failure, because timeouts
    /// respond with it for handlers that did not finish.
    pub fn commit_on_server_error(mut self, commit: bool) -> Self {
        self.commit_on_server_error = commit;
        self
    }

    /// The layer.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`](ErrorKind::InvalidSetting) if there is neither a secret nor a key ring, if the secret has
    /// less than 32 bytes, if there is neither a cookie nor a header, or for the name of a header that
    /// [`SessionHeader::new`](pycket_cookie::SessionHeader::new) refuses.
    pub fn build(self) -> Result<SessionLayer, Error> {
        let keys = self.keys.ok_or_else(missing_secret)?.build()?;
        let cookie = self.cookie.map(|settings| SessionCookie::new(settings, &keys));
        let header = self.header.map(|name| SessionHeader::new(&name, &keys)).transpose()?;
        Ok(SessionLayer(Arc::new(Settings {
            manager: self.manager,
            transports: Transports::new(cookie, header).ok_or_else(missing_transport)?,
            commit_on_server_error: self.commit_on_server_error,
        })))
    }
}

fn missing_transport() -> Error {
    Error::new(
        ErrorKind::InvalidSetting,
        "the session layer has neither a cookie nor a header: call `header(…)` on its builder, or leave out \
         `without_cookie()`",
    )
}

fn missing_secret() -> Error {
    Error::new(
        ErrorKind::InvalidSetting,
        "the session layer has no secret: call `secret(…)` on its builder with at least 32 random bytes, or \
         `keys(…)` with a `KeyRing`",
    )
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService { inner, settings: Arc::clone(&self.0) }
    }
}
