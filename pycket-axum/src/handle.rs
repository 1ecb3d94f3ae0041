use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::{COOKIE, HeaderMap, HeaderValue};
use pycket_cookie::Presented;
use pycket_core::{Error, Event, IdChange, Session};
use tokio::sync::OnceCell;

use crate::layer::Settings;

/// The way to the session of one request; the layer puts it into the request's extensions.
///
/// Handlers take the [`Session`](crate::Session) extractor instead. This is for services and middleware
/// that have only the request. Clones lead to the same session.
#[derive(Clone)]
pub struct SessionHandle(Arc<Slot>);

struct Slot {
    settings: Arc<Settings>,
    /// The `Cookie` header. Nearly always there is one at most.
    cookie: Option<HeaderValue>,
    more_cookies: Vec<HeaderValue>,
    opened: OnceCell<Opened>,
    /// Also true if opening it failed: the response depends on the cookie all the same.
    was_asked_for: AtomicBool,
    /// Whether the cookie is issued again although the session's life was not renewed.
    is_signed_anew: AtomicBool,
}

struct Opened {
    session: Session,
    /// Whether the cookie was signed by a key that no longer signs.
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
            was_asked_for: AtomicBool::new(false),
            is_signed_anew: AtomicBool::new(false),
        }))
    }

    /// The session, loaded when this is first called: no store call for a visitor without an authentic
    /// cookie, else one.
    ///
    /// # Errors
    ///
    /// The store's. The next call tries again.
    pub async fn session(&self) -> Result<Session, Error> {
        self.0.was_asked_for.store(true, Ordering::Relaxed);
        let opened = self.0.opened.get_or_try_init(|| self.open()).await?;
        Ok(opened.session.clone())
    }

    async fn open(&self) -> Result<Opened, Error> {
        let Settings { manager, cookie, .. } = &*self.0.settings;
        let headers = self.0.cookie.iter().chain(&self.0.more_cookies);
        let (id, outdated_key) = match cookie.read(headers.map(HeaderValue::as_bytes)) {
            Presented::Nothing => (None, false),
            Presented::Rejected => {
                manager.emit(Event::CookieRejected);
                (None, false)
            }
            Presented::Authentic { id, outdated_key } => (Some(id), outdated_key),
        };
        Ok(Opened { session: manager.open(id).await?, outdated_key })
    }

    pub(crate) fn was_asked_for(&self) -> bool {
        self.0.was_asked_for.load(Ordering::Relaxed)
    }

    /// Whether there may be something to store, or a cookie to sign again with the first key.
    pub(crate) fn needs_commit(&self) -> bool {
        let opened = self.0.opened.get();
        opened.is_some_and(|opened| opened.outdated_key || opened.session.needs_commit())
    }

    /// Stores what is to be stored.
    pub(crate) async fn close(&self, failed: bool) -> Result<(), Error> {
        let Some(Opened { session, outdated_key }) = self.0.opened.get() else {
            return Ok(());
        };
        if failed && !self.0.settings.commit_on_server_error {
            session.abort().await?;
        } else {
            session.commit().await?;
        }
        if *outdated_key && session.id_change() == IdChange::Unchanged {
            let is_live = self.is_still_live(session).await;
            self.0.is_signed_anew.store(is_live, Ordering::Relaxed);
        }
        Ok(())
    }

    /// A session that was only read may have ended meanwhile. Its cookie, issued again, would overwrite
    /// the one that a login has set. If the store cannot say, the cookie stays as it is.
    async fn is_still_live(&self, session: &Session) -> bool {
        let Some(id) = session.id() else {
            return false;
        };
        let found = self.0.settings.manager.open(Some(id)).await;
        found.is_ok_and(|session| !session.is_new())
    }

    /// The `Set-Cookie` that the response needs.
    pub(crate) fn set_cookie(&self) -> Option<String> {
        let Opened { session, outdated_key } = self.0.opened.get()?;
        let cookie = &self.0.settings.cookie;
        let id = match session.id_change() {
            IdChange::Issued(id) => id,
            IdChange::Renewed(id) if cookie.is_persistent() || *outdated_key => id,
            IdChange::Renewed(_) => return None,
            IdChange::Unchanged if self.0.is_signed_anew.load(Ordering::Relaxed) => session.id()?,
            IdChange::Withdrawn => return Some(cookie.removal()),
            _ => return None,
        };
        Some(cookie.issue(&id, session.expires_in().unwrap_or_default()))
    }
}

impl fmt::Debug for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionHandle")
            .field("was_asked_for", &self.was_asked_for())
            .finish_non_exhaustive()
    }
}
