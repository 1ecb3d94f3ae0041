use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::{COOKIE, HeaderMap, HeaderValue};
use pycket_cookie::Presented;
use pycket_core::{Error, Event, IdChange, Session};
use tokio::sync::OnceCell;

use crate::layer::Settings;

/// Access to the session of one request. The layer puts it into the request's extensions.
///
/// Use it in services and middleware that have only the request; handlers use the
/// [`Session`](crate::Session) extractor. All clones give the same session.
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
pub struct SessionHandle(Arc<Slot>);

struct Slot {
    settings: Arc<Settings>,
    /// The first `Cookie` header. Most requests have no other, so `more_cookies` allocates nothing.
    cookie: Option<HeaderValue>,
    more_cookies: Vec<HeaderValue>,
    opened: OnceCell<Opened>,
    /// Also set if the load failed, because the response depends on the cookie all the same.
    was_used: AtomicBool,
    /// Whether to issue the cookie again although neither the session's id nor its timeouts changed.
    reissue: AtomicBool,
}

struct Opened {
    session: Session,
    /// Whether a previous key signed the cookie.
    outdated_key: bool,
}

impl SessionHandle {
    pub(crate) fn new(settings: Arc<Settings>, headers: &HeaderMap) -> Self {
        let mut cookies = headers.get_all(COOKIE).iter().cloned();
        Self(Arc::new(Slot {
            settings,
            cookie: cookies.next(),
            more_cookies: cookies.collect(),
            opened: OnceCell::new(),
            was_used: AtomicBool::new(false),
            reissue: AtomicBool::new(false),
        }))
    }

    /// The session of the request. The first call costs one load if the client has an authentic cookie, and
    /// no store call otherwise.
    ///
    /// # Errors
    ///
    /// The errors of the store. The next call loads again.
    pub async fn session(&self) -> Result<Session, Error> {
        self.0.was_used.store(true, Ordering::Relaxed);
        let opened = self.0.opened.get_or_try_init(|| self.open()).await?;
        Ok(opened.session.clone())
    }

    async fn open(&self) -> Result<Opened, Error> {
        let Settings { manager, cookie, .. } = &*self.0.settings;
        let headers = self.0.cookie.iter().chain(&self.0.more_cookies);
        let (id, outdated_key) = match cookie.read(headers.map(HeaderValue::as_bytes)) {
            Presented::Authentic { id, outdated_key } => (Some(id), outdated_key),
            Presented::Rejected => {
                manager.emit(Event::CookieRejected);
                (None, false)
            }
            _ => (None, false),
        };
        Ok(Opened { session: manager.open(id).await?, outdated_key })
    }

    pub(crate) fn was_used(&self) -> bool {
        self.0.was_used.load(Ordering::Relaxed)
    }

    /// Whether there may be something to store, or a cookie to sign again with the first key.
    pub(crate) fn needs_commit(&self) -> bool {
        let opened = self.0.opened.get();
        opened.is_some_and(|opened| opened.outdated_key || opened.session.needs_commit())
    }

    /// Commits the session; after a failed request only its `destroy`, unless the settings differ.
    pub(crate) async fn commit(self, failed: bool) -> Result<(), Error> {
        let Some(Opened { session, outdated_key }) = self.0.opened.get() else {
            return Ok(());
        };
        if failed && !self.0.settings.commit_on_server_error {
            session.abort().await?;
        } else {
            session.commit().await?;
        }
        if *outdated_key && session.id_change() == IdChange::Unchanged {
            self.0.reissue.store(self.is_live(session).await, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Whether the store still has a session that was only read. If it has ended, issuing its cookie again
    /// overwrites the newer cookie of a login. If the load fails, the client keeps the cookie it has.
    async fn is_live(&self, session: &Session) -> bool {
        let found = self.0.settings.manager.open(session.id()).await;
        found.is_ok_and(|session| !session.is_new())
    }

    /// The `Set-Cookie` value of the response, if it needs one.
    pub(crate) fn set_cookie(&self) -> Option<String> {
        let Opened { session, outdated_key } = self.0.opened.get()?;
        let cookie = &self.0.settings.cookie;
        let id = match session.id_change() {
            IdChange::Issued(id) => id,
            IdChange::Renewed(id) if cookie.is_persistent() || *outdated_key => id,
            IdChange::Unchanged if self.0.reissue.load(Ordering::Relaxed) => session.id()?,
            IdChange::Withdrawn => return Some(cookie.removal()),
            _ => return None,
        };
        Some(cookie.issue(&id, session.expires_in().unwrap_or_default()))
    }
}

impl fmt::Debug for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionHandle").field("was_used", &self.was_used()).finish_non_exhaustive()
    }
}
