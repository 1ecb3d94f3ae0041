mod commit;
mod commit_lock;
mod notifications;
mod outcome;
mod plan;
mod pointer;
mod resolve;
mod rotate;
mod shared;
mod sign_in;
mod state;
mod unread;
mod update;
mod user;
mod values;
mod work;

use std::any::type_name;
use std::fmt;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::completion::Completion;
use crate::timeouts::OwnTimeouts;
use crate::{Error, ErrorKind, SessionId, SessionManager, Timestamp, Ttl, Value};

use commit_lock::CommitLock;
pub use notifications::Notifications;
pub use outcome::{IdChange, Outcome};
pub(crate) use pointer::notifications_of;
pub(crate) use resolve::{Deletion, delete};
use shared::Shared;
pub(crate) use state::{Base, Live};
use state::{State, is_reserved};
pub use values::Values;
use work::Rotation;

/// The session of one client, during one request.
///
/// It reads like a mapping. `get`, `set` and `delete` only touch memory. [`commit`](Self::commit) stores
/// the changes name by name, so two requests of one client keep each other's changes to different names.
/// Clones share one state.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), pycket_core::Error> {
/// # use pycket_core::{MemoryStore, SessionManager};
/// # let manager = SessionManager::new(MemoryStore::new());
/// let session = manager.open(None).await?;
/// session.set("cart", &["apple", "pear"])?;
/// assert_eq!(session.get_or("visits", 0)?, 0);
/// assert_eq!(session.require::<u32>("age").unwrap_err().to_string(), "`age` not found in session");
/// assert_eq!(session.delete(["cart", "nothing"]), ["cart"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Session(Arc<Shared>);

/// Reading and changing, in memory.
impl Session {
    pub(crate) fn new(
        manager: SessionManager,
        base: Base,
        presented: bool,
        others: Vec<SessionId>,
    ) -> Self {
        manager.remember_runtime();
        Self(Arc::new(Shared::new(manager, State::new(base, presented, others), false)))
    }

    /// Returns the value of `name`, or `None` if there is none. A value that this request has set is
    /// visible at once.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) if the value is not a `T`. It stays in the session.
    #[doc(alias = "get_value")]
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let value = self.state().value(name).cloned();
        value.map(|value| decode(name, &value)).transpose()
    }

    /// Returns the value of `name`, or `default` if there is none.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    pub fn get_or<T: DeserializeOwned>(&self, name: &str, default: T) -> Result<T, Error> {
        Ok(self.get(name)?.unwrap_or(default))
    }

    /// Returns the value of `name`; a missing one is an error. A stored `None` is not missing: ask for an
    /// `Option<T>`.
    ///
    /// # Errors
    ///
    /// [`KeyNotFound`](ErrorKind::KeyNotFound), and as for [`get`](Self::get).
    pub fn require<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        self.get(name)?.ok_or_else(|| {
            let message = format!("`{}` not found in session", name.escape_debug());
            Error::new(ErrorKind::KeyNotFound, message)
        })
    }

    /// Sets `name` to a value; the commit overwrites what other requests have stored under this name, and keeps
    /// what they have stored under other names.
    ///
    /// If the new value depends on an old one, use [`update`](Self::update), [`try_update`](Self::try_update) or
    /// [`update_all`](Self::update_all). Setting the value that is already there is no change.
    ///
    /// # Errors
    ///
    /// [`Encode`](ErrorKind::Encode) if serde cannot serialize the value, and
    /// [`InvalidName`](ErrorKind::InvalidName) for the empty name and for names that begin with
    /// `"\0pycket:"`. The session is unchanged then.
    #[doc(alias = "insert_value")]
    #[doc(alias = "insert")]
    #[doc(alias = "put")]
    pub fn set<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<(), Error> {
        check_name(name)?;
        let value = Value::encode(value)?;
        self.state().set(name, value);
        Ok(())
    }

    /// Removes these names and returns those that were there. A missing name is no error and no change. If only one
    /// of several concurrent requests may get the value, use [`take`](Self::take).
    #[doc(alias = "remove_value")]
    #[doc(alias = "remove")]
    #[doc(alias = "forget")]
    pub fn delete<N: AsRef<str>>(&self, names: impl IntoIterator<Item = N>) -> Vec<String> {
        // Collected first, because the iterator may ask this session and would wait for its lock.
        let names: Vec<N> = names.into_iter().collect();
        let names = names.iter().map(AsRef::as_ref);
        let mut state = self.state();
        names.filter(|name| !is_reserved(name) && state.delete(name)).map(str::to_owned).collect()
    }

    /// Removes every name. The session stays live, and keeps its notifications.
    pub fn clear(&self) {
        self.delete(self.keys());
    }

    /// Whether `name` has a value. A stored `None` is a value.
    #[doc(alias = "exists")]
    pub fn contains(&self, name: &str) -> bool {
        self.state().value(name).is_some()
    }

    /// The names, in order.
    pub fn keys(&self) -> Vec<String> {
        self.iter().map(|(name, _)| name).collect()
    }

    /// The names and values as they are now, in the order of the names.
    #[doc(alias = "entries")]
    pub fn iter(&self) -> impl Iterator<Item = (String, Value)> + use<> {
        let view = self.state().view();
        let entries = view.iter().filter(|(name, _)| !is_reserved(name));
        let entries: Vec<_> = entries.map(|(n, v)| (n.to_owned(), v.clone())).collect();
        entries.into_iter()
    }

    /// The number of names.
    pub fn len(&self) -> usize {
        self.state().view().names().filter(|name| !is_reserved(name)).count()
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id under which the session is stored; `None` before it is.
    pub fn id(&self) -> Option<SessionId> {
        self.state().live().map(|live| live.id)
    }

    /// Whether nothing is stored: the client has no session, or its session ended or was destroyed.
    pub fn is_new(&self) -> bool {
        self.state().live().is_none()
    }

    /// The time until the session ends if nothing renews it; `None` while nothing is stored.
    #[doc(alias = "expiry_date")]
    #[doc(alias = "expiry_age")]
    pub fn expires_in(&self) -> Option<Duration> {
        self.state().live().map(|live| live.expires_in(self.0.manager.clock()))
    }

    /// The time until the absolute timeout. Only [`log_in`](Self::log_in),
    /// [`restart_timeouts`](Self::restart_timeouts) and [`remember`](Self::remember) move it.
    /// `None` while nothing is stored, and where there is no absolute timeout.
    pub fn absolute_expires_in(&self) -> Option<Duration> {
        let (expiry, clock) = (self.0.manager.expiry(), self.0.manager.clock());
        let state = self.state();
        let record = &state.live()?.record;
        let (created, own) = (record.metadata().created, OwnTimeouts::of(record));
        expiry.absolute_expires_in(created, own, || clock.now())
    }

    /// The session's read-once notifications.
    #[doc(alias = "flash")]
    #[doc(alias = "messages")]
    pub fn notifications(&self) -> Notifications {
        Notifications(self.clone())
    }

    /// Whether there are changes that are not stored.
    #[doc(alias = "is_modified")]
    pub fn is_changed(&self) -> bool {
        self.state().needs_commit()
    }

    /// When the session was last renewed: stored, changed, or touched. `None` while nothing is stored, and if the
    /// record does not say it.
    pub fn last_renewed(&self) -> Option<Timestamp> {
        let clock = self.0.manager.clock();
        self.state().live()?.last_renewed(clock)
    }

    /// How long the cookie of a [remembered](Self::remember) session has to last: until the absolute timeout.
    /// `None` for all other sessions: their cookie is as the application configures it. Adapters ask for it when
    /// they issue the cookie.
    pub fn cookie_lifetime(&self) -> Option<Duration> {
        OwnTimeouts::of(&self.state().live()?.record).absolute?;
        self.absolute_expires_in()
    }

    /// What the cookie has to say. Adapters ask for it after the last commit.
    pub fn id_change(&self) -> IdChange {
        self.state().id_change
    }
}

/// Ids and timeouts. These take effect when the session is committed.
impl Session {
    /// Gives the session a new id and keeps its data. The old id ends with the commit.
    ///
    /// Call it whenever the rights of the client change (sign-in, re-authentication, another password or
    /// role), so that an id that was known before is worth nothing afterwards (OWASP Session Management,
    /// "Renew the Session ID After Any Privilege Level Change"). What other requests store under the old id
    /// in the meantime is carried over. If another request ends the session in the meantime, the new id ends
    /// with it.
    ///
    /// Known limit: a client that disconnects after the commit and before it has read the new cookie must sign
    /// in again. A grace period for the old id would be open to an attacker as well.
    ///
    /// After the response has left, for example in a stream or WebSocket, the client cannot get the new id. Then
    /// the commit fails with [`TooLate`](ErrorKind::TooLate) and stores nothing, until [`abort`](Self::abort)
    /// drops the changes.
    #[doc(alias = "renew")]
    #[doc(alias = "regenerate")]
    #[doc(alias = "rotate")]
    pub fn cycle_id(&self) {
        self.state().rotate(Rotation::KeepTimeouts);
    }

    /// As [`cycle_id`](Self::cycle_id), and both timeouts start anew. [`log_in`](Self::log_in) does this, too.
    ///
    /// The session has the timeouts of the application then, unless others were set since it was last stored.
    pub fn restart_timeouts(&self) {
        self.state().rotate(Rotation::RestartTimeouts);
    }

    /// Remembers the client beyond the end of the browser ("remember me"). Call it at sign-in, instead of
    /// [`restart_timeouts`](Self::restart_timeouts) or beside it, if the user asks for it.
    ///
    /// Both timeouts start anew. This session has its own then, also if the application's absolute timeout is
    /// shorter, and its cookie lasts until the absolute timeout. The id changes, so that the client gets the new
    /// cookie. All other sessions keep the timeouts and the cookie of the application. A client without a session gets
    /// one only when a value is set or a user signs in.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`](ErrorKind::InvalidSetting) for a timeout of zero or of more than ten years.
    pub fn remember(
        &self,
        idle_timeout: Duration,
        absolute_timeout: Duration,
    ) -> Result<(), Error> {
        let idle = Some(Ttl::try_from(idle_timeout)?);
        let absolute = Some(Ttl::try_from(absolute_timeout)?);
        let mut state = self.state();
        state.set_own_timeouts(OwnTimeouts { idle, absolute })?;
        state.rotate(Rotation::RestartTimeouts);
        Ok(())
    }

    /// Ends the session. Call it at sign-out.
    ///
    /// For this request the data are gone at once. The commit deletes the record, also if the request fails or
    /// is dropped, on a thread with or without a tokio runtime. If that fails,
    /// [`DestroyFailed`](crate::Event::DestroyFailed) is emitted. It also ends the other sessions that the client
    /// presented. Values that are set afterwards are stored in a new session with a new id.
    #[doc(alias = "flush")]
    #[doc(alias = "invalidate")]
    #[doc(alias = "purge")]
    #[doc(alias = "logout")]
    pub fn destroy(&self) {
        self.state().destroy();
    }

    /// Gives this session its own idle timeout instead of the application's: 1 ms to ten years.
    ///
    /// It is kept in the record, and every later write honours it. By itself it begins no session. It extends neither
    /// the absolute timeout nor the cookie: [`remember`](Self::remember) does.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`](ErrorKind::InvalidSetting) for zero or more than ten years.
    #[doc(alias = "set_expiry")]
    pub fn set_idle_timeout(&self, idle_timeout: Duration) -> Result<(), Error> {
        let idle = Some(Ttl::try_from(idle_timeout)?);
        let mut state = self.state();
        let own = state.own_timeouts();
        state.set_own_timeouts(OwnTimeouts { idle, ..own })
    }
}

/// Storing.
impl Session {
    /// Stores the changes now. A session without changes costs no store call.
    ///
    /// A web adapter commits before the response leaves. Call it yourself if another request or program must
    /// see the changes earlier. It may be called more than once. Once begun, it runs to its end, even if the
    /// caller is dropped, where there is a tokio runtime.
    ///
    /// If the session has ended in the meantime, it stays ended: the changes are dropped, and the outcome is
    /// [`Ended`](Outcome::Ended).
    ///
    /// # Errors
    ///
    /// The errors of the store; [`TooLate`](ErrorKind::TooLate) if the response has left and the session is
    /// new or has to change its id; for a session of a user, [`Conflict`](ErrorKind::Conflict) if other requests change
    /// the list of the user's sessions every time. The changes that are not stored are still there for another commit.
    #[doc(alias = "save")]
    pub async fn commit(&self) -> Result<Outcome, Error> {
        if !self.needs_commit() {
            return Ok(Outcome::Unchanged);
        }
        let shared = Arc::clone(&self.0);
        let committing = async move {
            let _lock = CommitLock::acquire(&*shared).await;
            shared.commit_locked().await
        };
        Completion::new(self.0.manager.runtime(), committing).await
    }

    /// Whether a [`commit`](Self::commit) has something to do or to wait for: a change, a renewal, or
    /// another commit that is running. Adapters ask it to skip the commit. It may be `true` for a moment
    /// while another call on the session is running.
    pub fn needs_commit(&self) -> bool {
        if CommitLock::is_held(&self.0) {
            return true;
        }
        let (expiry, clock) = (self.0.manager.expiry(), self.0.manager.clock());
        let state = self.state();
        state.needs_commit() || state.live().is_some_and(|live| expiry.touch(live, clock).is_some())
    }

    /// Drops the changes that are not stored, and stores nothing but a [`destroy`](Self::destroy). For
    /// requests that failed. It waits for a commit that is running.
    ///
    /// # Errors
    ///
    /// As for [`commit`](Self::commit).
    #[doc(alias = "discard")]
    #[doc(alias = "rollback")]
    pub async fn abort(&self) -> Result<Outcome, Error> {
        let shared = Arc::clone(&self.0);
        let aborting = async move {
            let _lock = CommitLock::acquire(&*shared).await;
            shared.state().work.abandon();
            if !shared.state().needs_commit() {
                return Ok(Outcome::Unchanged);
            }
            shared.commit_locked().await
        };
        Completion::new(self.0.manager.runtime(), aborting).await
    }

    /// Reads the session again, so that a handler that runs long sees what other requests stored. The changes
    /// that this request has not stored stay. It does not renew the session; a [`commit`](Self::commit) does,
    /// as in every request.
    ///
    /// # Errors
    ///
    /// [`Ended`](ErrorKind::Ended) if the session has ended, or has another id by now, also if this request has seen
    /// that before. It is empty then, and a handler that serves its user should stop. Also the errors of the store,
    /// which change nothing.
    #[doc(alias = "load")]
    #[doc(alias = "refresh")]
    pub async fn reload(&self) -> Result<(), Error> {
        let _lock = CommitLock::acquire(&*self.0).await;
        self.0.reload().await
    }

    /// Freezes the id of the session, and returns what the cookie has to say. Adapters call it when the response
    /// leaves: from then on a commit that would need another cookie fails with
    /// [`TooLate`](ErrorKind::TooLate).
    ///
    /// Returns `None` while a commit is running. Wait for it with [`commit`](Self::commit), and call this again.
    pub fn freeze_id(&self) -> Option<IdChange> {
        let _lock = CommitLock::try_acquire(&*self.0)?;
        Some(self.state().freeze_id())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("names", &self.keys()).finish_non_exhaustive()
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let message = if name.is_empty() {
        "the name of a session value must not be empty"
    } else if is_reserved(name) {
        "names that begin with NUL and `pycket:` are reserved for the library"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::InvalidName, message))
}

fn decode<T: DeserializeOwned>(name: &str, value: &Value) -> Result<T, Error> {
    value.decode().map_err(|error| {
        let (name, value_type) = (name.escape_debug(), type_name::<T>());
        Error::new(error.kind(), format!("the value of `{name}` is not of type `{value_type}`"))
    })
}
