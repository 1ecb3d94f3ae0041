use std::fmt;
use std::sync::Arc;

use crate::session::{Base, Live};
use crate::{Clock, Error, Event, Expiry, Session, SessionId, SessionStore, SystemClock};

/// Opens sessions: a store, the rules by which sessions end, and whoever wants to hear of it.
///
/// Make one for the process; cloning copies a pointer. It needs no HTTP: a job, a WebSocket or a test
/// opens and commits sessions in the same way as a web request.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), pycket_core::Error> {
/// use std::sync::Arc;
/// use pycket_core::{MemoryStore, SessionManager};
///
/// let manager = SessionManager::new(Arc::new(MemoryStore::new()));
///
/// let session = manager.open(None).await?;
/// session.set("user", "ann")?;
/// session.commit().await?;
///
/// let later = manager.open(session.id()).await?;
/// assert_eq!(later.get::<String>("user")?.as_deref(), Some("ann"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SessionManager(Arc<Settings>);

type Observer = Arc<dyn Fn(Event) + Send + Sync>;

#[derive(Clone)]
struct Settings {
    store: Arc<dyn SessionStore>,
    notifications: Option<Arc<dyn SessionStore>>,
    expiry: Expiry,
    clock: Arc<dyn Clock>,
    observers: Vec<Observer>,
}

impl SessionManager {
    /// Sessions in `store`, with the default [`Expiry`] and the machine's clock.
    pub fn new(store: Arc<dyn SessionStore>) -> Self {
        Self(Arc::new(Settings {
            store,
            notifications: None,
            expiry: Expiry::default(),
            clock: Arc::new(SystemClock::new()),
            observers: Vec::new(),
        }))
    }

    /// Keeps [`Notifications`](crate::Notifications) in `store`, which must be another dataset than the
    /// sessions': another database or key prefix, or another store. Without it there are none.
    ///
    /// They live as long as the session had to live when they were set.
    #[must_use]
    pub fn with_notifications(mut self, store: Arc<dyn SessionStore>) -> Self {
        Arc::make_mut(&mut self.0).notifications = Some(store);
        self
    }

    /// Sets when sessions end.
    #[must_use]
    pub fn with_expiry(mut self, expiry: Expiry) -> Self {
        Arc::make_mut(&mut self.0).expiry = expiry;
        self
    }

    /// Takes the time from `clock` instead of the machine.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        Arc::make_mut(&mut self.0).clock = clock;
        self
    }

    /// Calls `observer` at every [`Event`], besides those that were there before. It runs inside the
    /// request, so it should only count or log.
    #[must_use]
    pub fn on_event(mut self, observer: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.0).observers.push(Arc::new(observer));
        self
    }

    /// The session of a visitor: one `load` if an id is presented, no store call otherwise.
    ///
    /// An id that belongs to no live session is not adopted; the session is then new, and gets an id of
    /// its own when it is first written.
    ///
    /// # Errors
    ///
    /// The store's. A session that could not be loaded does not exist, so it cannot be overwritten.
    pub async fn open(&self, presented: Option<SessionId>) -> Result<Session, Error> {
        let base = match presented {
            Some(id) => self.live(id).await?.map_or(Base::Absent, Base::Live),
            None => Base::Absent,
        };
        if presented.is_some() && matches!(base, Base::Absent) {
            self.emit(Event::Rejected);
        }
        Ok(Session::new(self.clone(), base, presented.is_some()))
    }

    /// Tells the observers of an event that happened outside, such as a forged cookie.
    pub fn emit(&self, event: Event) {
        for observer in &self.0.observers {
            observer(event);
        }
    }

    /// The session under `id` as the store has it now, unless it is past its absolute end.
    pub(crate) async fn live(&self, id: SessionId) -> Result<Option<Live>, Error> {
        let Some(loaded) = self.store().load(&id).await? else {
            return Ok(None);
        };
        let is_over = self.expiry().is_over(loaded.record.metadata(), self.clock());
        let expires_at = self.clock().elapsed().saturating_add(loaded.expires_in);
        Ok((!is_over).then_some(Live { id, record: loaded.record, expires_at }))
    }

    pub(crate) fn store(&self) -> &dyn SessionStore {
        &*self.0.store
    }

    pub(crate) fn notifications(&self) -> Option<&dyn SessionStore> {
        self.0.notifications.as_deref()
    }

    pub(crate) fn expiry(&self) -> &Expiry {
        &self.0.expiry
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }
}

impl fmt::Debug for SessionManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionManager")
            .field("store", &self.0.store)
            .field("expiry", &self.0.expiry)
            .finish_non_exhaustive()
    }
}
