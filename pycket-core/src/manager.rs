mod builder;

use std::fmt::{self, Display};
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use tokio::runtime::Handle;

use crate::session::{Base, Live};
use crate::users::{UserEntry, UserIndex, check_user_id};
use crate::{
    Clock, Error, Event, Expiry, Loaded, Session, SessionId, SessionStore, SystemClock,
    UserSessions,
};

/// Opens sessions: it holds the store, the timeouts and the event observers.
///
/// Create one for the process. A clone shares the settings of the original. No HTTP is involved: a
/// background job, a WebSocket or a test opens and commits sessions in the same way as a web request.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), pycket_core::Error> {
/// use pycket_core::{MemoryStore, SessionManager};
///
/// let manager = SessionManager::new(MemoryStore::new());
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
#[derive(Clone, Debug)]
pub struct SessionManager(Arc<Settings>);

/// Collects the settings of a [`SessionManager`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SessionManagerBuilder(Settings);

/// How many of the ids that a client presents are loaded at most.
const MAX_LOADS: usize = 4;

/// Enough for every device of a person. With so many the index has about 30 kB, which every store accepts.
const MAX_SESSIONS_PER_USER: NonZeroUsize = NonZeroUsize::new(200).unwrap();

type Observer = Arc<dyn Fn(Event) + Send + Sync>;

#[derive(Clone)]
struct Settings {
    store: Arc<dyn SessionStore>,
    notifications: Option<Arc<dyn SessionStore>>,
    expiry: Expiry,
    clock: Arc<dyn Clock>,
    observers: Vec<Observer>,
    runtime: OnceLock<Handle>,
    user_namespace: String,
    max_sessions_per_user: NonZeroUsize,
    checks_user_index: bool,
}

impl SessionManager {
    /// Sessions in `store`, with the default [`Expiry`] and the clock of the machine. An `Arc` of a store
    /// is a store, too.
    pub fn new(store: impl SessionStore) -> Self {
        Self(Arc::new(Settings::new(Arc::new(store))))
    }

    /// A builder for other settings than those of [`new`](Self::new).
    pub fn builder(store: impl SessionStore) -> SessionManagerBuilder {
        SessionManagerBuilder(Settings::new(Arc::new(store)))
    }

    /// A builder that starts with the settings of this manager.
    pub fn to_builder(&self) -> SessionManagerBuilder {
        SessionManagerBuilder((*self.0).clone())
    }

    /// Calls `observer` at every [`Event`], after the observers that are there already. It runs inside the
    /// request, so it should only count or log.
    #[must_use]
    pub fn on_event(mut self, observer: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.0).observers.push(Arc::new(observer));
        self
    }

    /// Opens the session of a client: one `load` if the client presents an id, no store call otherwise.
    ///
    /// An id without a live session is not adopted. The session is new then, and gets an id of its own
    /// when it is first stored.
    ///
    /// # Errors
    ///
    /// The errors of the store. A session that could not be loaded does not exist for the caller, so it
    /// cannot be overwritten.
    pub async fn open(&self, presented: Option<SessionId>) -> Result<Session, Error> {
        self.open_first_of(presented.as_ref()).await
    }

    /// Opens the first live session among the ids that a client presents, for example in several cookies of
    /// one name. It loads at most four, one after the other, until it finds a live session.
    ///
    /// [`Session::destroy`] ends the sessions of all these ids.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open). An error does not lead to the next id, because the session that could not
    /// be loaded may be live.
    pub async fn open_first_of<'a>(
        &self,
        presented: impl IntoIterator<Item = &'a SessionId>,
    ) -> Result<Session, Error> {
        let (mut base, mut is_presented) = (Base::Absent, false);
        let mut not_loaded = presented.into_iter().copied();
        for id in not_loaded.by_ref().take(MAX_LOADS) {
            is_presented = true;
            if let Some(live) = self.live(id).await? {
                base = Base::Live(live);
                break;
            }
        }
        if is_presented && matches!(base, Base::Absent) {
            self.emit(Event::SessionNotFound);
        }
        Ok(Session::new(self.clone(), base, is_presented, not_loaded.collect()))
    }

    /// A session of these ids that is not loaded, so that a sign-out does not depend on readable records.
    /// [`Session::destroy`] and a commit end the sessions of all these ids.
    pub fn without_loading(&self, presented: Vec<SessionId>) -> Session {
        Session::new(self.clone(), Base::Absent, !presented.is_empty(), presented)
    }

    /// The sessions of a user, to list and to end them. It calls no store, and the user need not have a session.
    ///
    /// # Errors
    ///
    /// [`InvalidUserId`](crate::ErrorKind::InvalidUserId) as for [`Session::log_in`].
    pub fn user(&self, user_id: impl Display) -> Result<UserSessions, Error> {
        Ok(UserSessions::new(self.clone(), check_user_id(user_id)?, None))
    }

    /// Passes an event to the observers. Adapters call it for what they see themselves, such as a forged
    /// cookie.
    pub fn emit(&self, event: Event) {
        for observer in &self.0.observers {
            observer(event);
        }
    }

    /// The session under `id` as the store has it now, unless one of its timeouts has passed.
    pub(crate) async fn live(&self, id: SessionId) -> Result<Option<Live>, Error> {
        let Some(loaded) = self.store().load(&id).await? else {
            return Ok(None);
        };
        let Some(live) = self.unless_ended(id, loaded) else {
            return Ok(None);
        };
        if self.checks_user_index()
            && let Some(user) = UserEntry::of(&live.record)
        {
            // Boxed, so that an application without this check does not reserve memory for it.
            let index = UserIndex::new(self, &user.user_id);
            let known = Box::pin(index.known(user.handle)).await?;
            let is_listed = known.is_some_and(|known| known.entry.ids.contains(&id));
            return Ok(is_listed.then_some(live));
        }
        Ok(Some(live))
    }

    /// A session that was loaded, unless one of its timeouts has passed.
    pub(crate) fn unless_ended(&self, id: SessionId, loaded: Loaded) -> Option<Live> {
        let has_ended = self.expiry().has_ended(&loaded.record, loaded.expires_in, self.clock());
        let expires_at = self.clock().elapsed().saturating_add(loaded.expires_in);
        (!has_ended).then_some(Live {
            id,
            record: loaded.record,
            expires_at,
            version: loaded.version,
        })
    }

    /// The runtime for work whose caller is dropped: the current one, or else the one of the builder or of the
    /// first call.
    pub(crate) fn runtime(&self) -> Option<Handle> {
        Handle::try_current().ok().or_else(|| self.0.runtime.get().cloned())
    }

    /// Remembers the current runtime, unless one is known.
    pub(crate) fn remember_runtime(&self) {
        if self.0.runtime.get().is_none()
            && let Ok(current) = Handle::try_current()
        {
            self.0.runtime.get_or_init(|| current);
        }
    }

    pub(crate) fn store(&self) -> &dyn SessionStore {
        &*self.0.store
    }

    pub(crate) fn notifications(&self) -> &dyn SessionStore {
        &**self.0.notifications.as_ref().unwrap_or(&self.0.store)
    }

    pub(crate) fn expiry(&self) -> &Expiry {
        &self.0.expiry
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(crate) fn user_namespace(&self) -> &str {
        &self.0.user_namespace
    }

    pub(crate) fn max_sessions_per_user(&self) -> usize {
        self.0.max_sessions_per_user.get()
    }

    pub(crate) fn checks_user_index(&self) -> bool {
        self.0.checks_user_index
    }
}

/// As [`SessionManager::new`], so that a call that needs a manager also takes a store.
impl<S: SessionStore> From<S> for SessionManager {
    fn from(store: S) -> Self {
        Self::new(store)
    }
}

impl Settings {
    fn new(store: Arc<dyn SessionStore>) -> Self {
        Self {
            store,
            notifications: None,
            expiry: Expiry::default(),
            clock: Arc::new(SystemClock::new()),
            observers: Vec::new(),
            runtime: OnceLock::new(),
            user_namespace: String::new(),
            max_sessions_per_user: MAX_SESSIONS_PER_USER,
            checks_user_index: false,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("store", &self.store)
            .field("expiry", &self.expiry)
            .finish_non_exhaustive()
    }
}
