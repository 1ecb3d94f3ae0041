use std::fmt;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum_core::extract::FromRequestParts;
use http::Uri;
use http::header::{HeaderMap, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use pycket_cookie::{Presented, SignedId};
use pycket_core::{Error, ErrorKind, Event, IdChange, Outcome, Session, SessionId};
use tokio::sync::OnceCell;

use crate::SessionError;
use crate::layer::Settings;
use crate::opened::Opened;
use crate::transport::{Choice, IdHeader, Transport};

/// Access to the session of one request. The layer puts it into the request's extensions.
///
/// Use it in services and middleware that have only the request; handlers use the
/// [`Session`](crate::Session) extractor. It is an extractor, too, for a [sign-out](Self::destroy) that works
/// for every record, and for applications with [two layers](Self::named). All clones give the same session.
///
/// ```
/// use pycket_axum::SessionHandle;
///
/// async fn user<B>(request: &http::Request<B>) -> Result<Option<String>, pycket_core::Error> {
///     match request.extensions().get::<SessionHandle>() {
///         Some(handle) => handle.session().await?.get("user"),
///         None => Ok(None),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct SessionHandle {
    slot: Arc<Slot>,
    /// The handle of the next session layer outside of this one.
    outer: Option<Arc<SessionHandle>>,
}

/// The session of one request and one layer.
struct Slot {
    settings: Arc<Settings>,
    /// Where the request goes, before routers inside of the layer remove a part of it.
    path: Option<PathAndQuery>,
    /// How the id of this request travels.
    choice: Choice,
    /// The first header that can have ids. Most requests have no other, so `more_values` allocates nothing.
    value: Option<HeaderValue>,
    more_values: Vec<HeaderValue>,
    opened: OnceCell<Opened>,
    /// Also set if the load failed, because the response depends on the id all the same.
    was_used: AtomicBool,
    /// Whether a response stands in for a handler that did not finish.
    is_unfinished: AtomicBool,
    /// Whether the response has left, so that it can give the client no id any more.
    has_left: AtomicBool,
}

/// Tells the slots of all requests that are running apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlotAddress(usize);

impl SessionHandle {
    /// The handle for a request to this URI with these headers, inside of the session layer of `outer`, and whether the
    /// session is this layer's own. It is not if a layer outside has the same cookie or header, and so the same
    /// session.
    pub(crate) fn new(
        settings: &Arc<Settings>,
        uri: &Uri,
        headers: &HeaderMap,
        outer: Option<&Self>,
    ) -> (Self, bool) {
        let transports = &settings.transports;
        let choice = transports.choose(headers);
        let is_same = |outer: &&Self| {
            let Slot { settings, choice: outer_choice, .. } = &*outer.slot;
            transports.is_same(choice, &settings.transports, *outer_choice)
        };
        let shared = outer.and_then(|outer| outer.layers().find(is_same));
        let is_own = shared.is_none();
        let slot = shared.map(|shared| Arc::clone(&shared.slot)).unwrap_or_else(|| {
            let name = transports.get(choice).request_header();
            let mut values = headers.get_all(name).iter().cloned();
            Arc::new(Slot {
                settings: Arc::clone(settings),
                path: uri.path_and_query().cloned(),
                choice,
                value: values.next(),
                more_values: values.collect(),
                opened: OnceCell::new(),
                was_used: AtomicBool::new(false),
                is_unfinished: AtomicBool::new(false),
                has_left: AtomicBool::new(false),
            })
        });
        (Self { slot, outer: outer.cloned().map(Arc::new) }, is_own)
    }

    /// The session of the request. The first call costs one load if the client presents an authentic id, and
    /// no store call otherwise.
    ///
    /// # Errors
    ///
    /// The errors of the store. The next call loads again.
    pub async fn session(&self) -> Result<Session, Error> {
        self.slot.was_used.store(true, Ordering::Relaxed);
        let opened = self.slot.opened.get_or_try_init(|| self.open()).await?;
        Ok(self.checked(opened))
    }

    /// Ends the session of the request as [`Session::destroy`] does, also if its record cannot be read. Call it
    /// at sign-out: such a record is an error for the [`Session`](crate::Session) extractor, and the client
    /// could not leave it.
    ///
    /// # Errors
    ///
    /// The errors of the store while it loads the session, except [`Corrupt`](ErrorKind::Corrupt).
    pub async fn destroy(&self) -> Result<(), Error> {
        let session = match self.session().await {
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                let opened = self.slot.opened.get_or_init(async || {
                    let manager = &self.slot.settings.manager;
                    let session =
                        manager.without_loading(ids(&self.presented()).copied().collect());
                    Opened::new(session, &[])
                });
                self.checked(opened.await)
            }
            session => session?,
        };
        session.destroy();
        Ok(())
    }

    /// The handle of the session layer whose cookie or header has this name: the layer of this handle, or one
    /// outside of it. Layers with different cookies give a request several sessions. The [`Session`](crate::Session)
    /// extractor gives the one of the innermost layer.
    ///
    /// ```
    /// use pycket_axum::{Session, SessionError, SessionHandle};
    ///
    /// // The layer of the cookie `ADMIN` is inside the layer of the cookie `SHOP`.
    /// async fn impersonate(admin: Session, handle: SessionHandle) -> Result<(), SessionError> {
    ///     let shop = handle.named("SHOP").ok_or(SessionError::MissingLayer)?.session().await?;
    ///     Ok(shop.set("user", &admin.require::<String>("user")?)?)
    /// }
    /// # let _: axum::Router = axum::Router::new().route("/", axum::routing::post(impersonate));
    /// ```
    pub fn named(&self, name: &str) -> Option<Self> {
        self.layers().find(|handle| handle.slot.settings.transports.is_named(name)).cloned()
    }

    /// This handle, and those of the session layers outside.
    pub(crate) fn layers(&self) -> impl Iterator<Item = &Self> {
        iter::successors(Some(self), |handle| handle.outer.as_deref())
    }

    /// The path and the query of the request, as the layer saw them.
    pub(crate) fn path(&self) -> Option<&str> {
        self.slot.path.as_ref().map(PathAndQuery::as_str)
    }

    pub(crate) fn address(&self) -> SlotAddress {
        SlotAddress(Arc::as_ptr(&self.slot) as usize)
    }

    pub(crate) fn was_used(&self) -> bool {
        self.slot.was_used.load(Ordering::Relaxed)
    }

    pub(crate) fn set_unfinished(&self) {
        self.slot.is_unfinished.store(true, Ordering::Relaxed);
    }

    /// Whether the changes must not be stored. `is_failure` says whether the response is a server error.
    pub(crate) fn is_aborted(&self, is_failure: bool) -> bool {
        self.slot.is_unfinished.load(Ordering::Relaxed)
            || is_failure && !self.slot.settings.commit_on_server_error
    }

    /// Adds the headers of a response that depends on the session.
    pub(crate) fn add_headers(&self, headers: &mut HeaderMap, id: Option<IdHeader>) {
        self.slot.settings.transports.add_headers(headers, id);
    }

    /// Finishes a session that has nothing to store; `None` if it has. Returns the header that gives the client
    /// another id, if there is one.
    pub(crate) fn try_finish(&self) -> Option<Option<IdHeader>> {
        let Some(opened) = self.slot.opened.get() else {
            self.slot.has_left.store(true, Ordering::SeqCst);
            return Some(None);
        };
        if opened.session.needs_commit() || opened.needs_id_again(self.slot.transport()) {
            return None;
        }
        let change = self.leave(opened)?;
        Some(opened.id_header(self.slot.transport(), change, false))
    }

    /// Stores the session at the end of the request, or drops its changes and stores only a `destroy`. Returns
    /// the header that gives the client another id, if there is one, and the result.
    pub(crate) async fn finish(self, is_aborted: bool) -> (Option<IdHeader>, Result<(), Error>) {
        let Some(opened) = self.slot.opened.get() else { return (None, Ok(())) };
        let (session, transport) = (&opened.session, self.slot.transport());
        let store = async || match is_aborted {
            true => session.abort().await,
            false => session.commit().await,
        };
        let mut result = store().await;
        let mut is_live = result.as_ref().is_ok_and(|outcome| {
            use Outcome::{Created, Rotated, Touched, Updated};
            matches!(outcome, Created | Rotated | Touched | Updated)
        });
        // An earlier commit does not say whether the session is still live. The id of one that has ended
        // would overwrite the newer id of a login.
        if result.is_ok() && !is_live && opened.needs_id_again(transport) {
            is_live = session.reload().await.is_ok();
        }
        let change = loop {
            match self.leave(opened) {
                Some(change) => break change,
                None => result = result.and(store().await),
            }
        };
        (opened.id_header(transport, change, is_live), result.map(drop))
    }

    /// Takes note that no response will leave.
    pub(crate) fn disconnect(&self) {
        self.slot.has_left.store(true, Ordering::SeqCst);
        if let Some(opened) = self.slot.opened.get() {
            opened.session.freeze_id();
        }
    }

    async fn open(&self) -> Result<Opened, Error> {
        let presented = self.presented();
        let session = self.slot.settings.manager.open_first_of(ids(&presented)).await?;
        Ok(Opened::new(session, &presented))
    }

    fn presented(&self) -> Vec<SignedId> {
        let slot = &self.slot;
        match slot.transport().read(slot.value.iter().chain(&slot.more_values)) {
            Presented::Authentic(signed) => signed,
            Presented::Rejected => {
                slot.settings.manager.emit(Event::CookieRejected);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// The session. Its id is frozen if the response has left before it was opened.
    fn checked(&self, opened: &Opened) -> Session {
        if self.slot.has_left.load(Ordering::SeqCst) {
            opened.session.freeze_id();
        }
        opened.session.clone()
    }

    /// Takes note that the response leaves; `None` while a commit is running.
    fn leave(&self, opened: &Opened) -> Option<IdChange> {
        let change = opened.session.freeze_id()?;
        self.slot.has_left.store(true, Ordering::SeqCst);
        Some(change)
    }
}

impl Slot {
    fn transport(&self) -> &Transport {
        self.settings.transports.get(self.choice)
    }
}

fn ids(presented: &[SignedId]) -> impl Iterator<Item = &SessionId> {
    presented.iter().map(|signed| &signed.id)
}

impl<S: Send + Sync> FromRequestParts<S> for SessionHandle {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        parts.extensions.get::<Self>().cloned().ok_or(SessionError::MissingLayer)
    }
}

impl fmt::Debug for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionHandle").field("was_used", &self.was_used()).finish_non_exhaustive()
    }
}
