mod atomic_update;
mod commit;
mod notice_commit;
mod notices;
mod outcome;
mod pending;
mod plan;
mod rotation;
mod settle;
mod state;
mod turn;

use std::any::type_name;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use crate::completion::Completion;
use crate::{Error, ErrorKind, Event, Notifications, SessionId, SessionManager, Ttl, Value};

pub use outcome::{IdChange, Outcome};
use pending::Rotation;
use state::State;
pub(crate) use state::{Base, Live};
use turn::Turn;

/// One visitor's session, during one request.
///
/// It reads like a mapping: `get`, `set` and `delete` touch memory only. What was changed is stored by
/// [`commit`](Self::commit), as a change per name, so that two requests of one visitor keep each other's
/// changes. Clones share one state.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), pycket_core::Error> {
/// # use std::sync::Arc;
/// # use pycket_core::{MemoryStore, SessionManager};
/// # let manager = SessionManager::new(Arc::new(MemoryStore::new()));
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

struct Shared {
    manager: SessionManager,
    state: Mutex<State>,
    /// One permit; see [`Turn`].
    turns: Semaphore,
}

/// Reading and changing: in memory, without waiting.
impl Session {
    pub(crate) fn new(manager: SessionManager, base: Base, presented: bool) -> Self {
        let state = Mutex::new(State::new(base, presented));
        Self(Arc::new(Shared { manager, state, turns: Semaphore::const_new(1) }))
    }

    /// The value of `name`, or `None` if there is none. What this request has set is seen at once.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) if the value is not a `T`; it stays in the session.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let value = self.state().value(name).cloned();
        value.map(|value| decode(name, &value)).transpose()
    }

    /// The value of `name`, or `default` if there is none.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    pub fn get_or<T: DeserializeOwned>(&self, name: &str, default: T) -> Result<T, Error> {
        Ok(self.get(name)?.unwrap_or(default))
    }

    /// The value of `name`, which has to be there. A stored `None` is: ask for an `Option<T>` then.
    ///
    /// # Errors
    ///
    /// [`KeyNotFound`](ErrorKind::KeyNotFound), and as for [`get`](Self::get).
    pub fn require<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        self.get(name)?.ok_or_else(|| {
            Error::new(ErrorKind::KeyNotFound, format!("`{name}` not found in session"))
        })
    }

    /// Sets `name` to anything that serde serializes. Setting what is already there is no change.
    ///
    /// # Errors
    ///
    /// [`Encode`](ErrorKind::Encode) and [`InvalidName`](ErrorKind::InvalidName), for the empty name;
    /// the session is then unchanged.
    pub fn set<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<(), Error> {
        check_name(name)?;
        let value = Value::encode(value)?;
        self.state().set(name, value);
        Ok(())
    }

    /// Removes these names and returns those that were there. Missing ones are no error and no change.
    pub fn delete<N: AsRef<str>>(&self, names: impl IntoIterator<Item = N>) -> Vec<String> {
        // Gathered first: an iterator that asks the session would wait for the state for ever.
        let names: Vec<N> = names.into_iter().collect();
        let names = names.iter().map(AsRef::as_ref);
        let mut state = self.state();
        names.filter(|name| state.delete(name)).map(str::to_owned).collect()
    }

    /// Removes every name that this session shows. It stays a live session, an empty one.
    pub fn clear(&self) {
        self.delete(self.keys());
    }

    /// Whether `name` has a value, be it `None`.
    pub fn contains(&self, name: &str) -> bool {
        self.state().value(name).is_some()
    }

    /// The names, in order.
    pub fn keys(&self) -> Vec<String> {
        self.state().view().names().map(str::to_owned).collect()
    }

    /// Names and values as they are now, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (String, Value)> + use<> {
        let view = self.state().view();
        let entries: Vec<_> = view.iter().map(|(n, v)| (n.to_owned(), v.clone())).collect();
        entries.into_iter()
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.state().view().len()
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id under which the session is stored; `None` before it is.
    pub fn id(&self) -> Option<SessionId> {
        self.state().live().map(|live| live.id)
    }

    /// Whether nothing is stored yet: a first visit, a session that ended, or one just destroyed.
    pub fn is_new(&self) -> bool {
        self.state().live().is_none()
    }

    /// The remaining life, if nothing renews it; `None` while nothing is stored.
    pub fn expires_in(&self) -> Option<Duration> {
        let now = self.0.manager.clock().elapsed();
        self.state().live().map(|live| live.expires_at.saturating_sub(now))
    }

    /// The time until the absolute end, which nothing but [`restart_timeouts`](Self::restart_timeouts)
    /// moves; `None` while nothing is stored, and where no absolute timeout is set.
    pub fn absolute_expires_in(&self) -> Option<Duration> {
        let now = self.0.manager.clock().now();
        let metadata = self.state().live().map(|live| *live.record.metadata())?;
        self.0.manager.expiry().absolute_expires_in(&metadata, now)
    }

    /// The visitor's read-once notifications. They are loaded when somebody asks for one.
    pub fn notifications(&self) -> Notifications {
        Notifications::new(self.clone())
    }

    /// Whether there are changes that are not stored.
    pub fn is_changed(&self) -> bool {
        self.state().is_changed()
    }

    /// What the client has to be told of its id: for whoever writes the cookie.
    pub fn id_change(&self) -> IdChange {
        self.state().id_change()
    }
}

/// Life and end. These take effect when the session is committed.
impl Session {
    /// Gives the session a new id and keeps its data; the old id is dead once it is committed.
    ///
    /// Call it whenever the visitor's rights change (login, re-authentication, a new password or role),
    /// so that an id known before is worth nothing after (OWASP Session Management, "Renew the Session
    /// ID After Any Privilege Level Change"). What other requests store under the old id meanwhile is
    /// carried over. If the session ends meanwhile the new id ends with it.
    ///
    /// One thing cannot be mended: a client that vanishes after the old id is dead and before it has
    /// read the new cookie must sign in again. To keep the old id alive for a while would reopen the
    /// door that this closes.
    pub fn cycle_id(&self) {
        self.state().rotate(Rotation::KeepLifetime);
    }

    /// As [`cycle_id`](Self::cycle_id), and both clocks start anew, the absolute one included.
    /// This is the one call for a login.
    pub fn restart_timeouts(&self) {
        self.state().rotate(Rotation::RestartLifetime);
    }

    /// Ends the session: call it at logout. The data are gone for this request at once, the record when
    /// it is committed, which happens even if the request fails, or is dropped. What is set afterwards
    /// begins a new session with a new id.
    pub fn destroy(&self) {
        self.state().destroy();
    }

    /// Gives this session its own idle timeout, instead of the application's: "remember me". It is kept
    /// in the record and honoured by every later write. It does not outlast an absolute timeout.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`](ErrorKind::InvalidSetting) for zero or more than ten years.
    pub fn set_idle_timeout(&self, idle: Duration) -> Result<(), Error> {
        let idle = Ttl::try_from(idle)?;
        self.state().set_idle_timeout(idle);
        Ok(())
    }
}

/// Storing.
impl Session {
    /// Stores what changed, now: at most one session ends, begins or changes, and a session that did not
    /// change costs no store call. A web adapter does this before the response leaves; call it yourself
    /// if somebody else must see the changes before that. It may be called more than once.
    ///
    /// Once begun it runs to its end, even if the caller is dropped.
    ///
    /// A session that ended meanwhile stays ended: the changes are dropped and the outcome is
    /// [`Ended`](Outcome::Ended).
    ///
    /// # Errors
    ///
    /// The store's. The changes are then still there, to be committed again or dropped.
    pub async fn commit(&self) -> Result<Outcome, Error> {
        // Held by another commit, the turn has to be awaited to learn how that one ends.
        if !self.needs_commit() {
            return Ok(Outcome::Unchanged);
        }
        let shared = Arc::clone(&self.0);
        Completion::new(async move { shared.commit().await }).await
    }

    /// Whether a [`commit`](Self::commit) has something to do or to wait for: a change, a renewal, or
    /// another commit that is running. Adapters ask it to skip the commit. It may be `true` for a moment
    /// while another call on the session is running.
    pub fn needs_commit(&self) -> bool {
        Turn::at_once(&*self.0).is_none_or(|_turn| self.0.needs_commit())
    }

    /// Ends without storing: uncommitted changes are dropped, and only a [`destroy`](Self::destroy) is
    /// carried out. For requests that failed. A commit that is under way is awaited, since it may change the id.
    ///
    /// # Errors
    ///
    /// As for [`commit`](Self::commit).
    pub async fn abort(&self) -> Result<Outcome, Error> {
        // Held by a commit, the turn has to be awaited too: that one may change the id.
        if let Some(_turn) = Turn::at_once(&*self.0)
            && !self.0.abandon()
        {
            return Ok(Outcome::Unchanged);
        }
        let shared = Arc::clone(&self.0);
        Completion::new(async move { shared.abort().await }).await
    }

    /// An atomic read-modify-write of one name, stored before this returns: `f` gets the value as it is
    /// in the store, or `None`, and gives the new one. It is called again if another writer came first,
    /// so that 64 concurrent increments count 64.
    ///
    /// A [`cycle_id`](Self::cycle_id) or [`destroy`](Self::destroy) that is still to be committed, and
    /// the first value of a new session, are committed with it, to the end even if the caller is dropped.
    /// A caller that is dropped later does not learn whether the value was stored.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), pycket_core::Error> {
    /// # use std::sync::Arc;
    /// # use pycket_core::{MemoryStore, SessionManager};
    /// # let session = SessionManager::new(Arc::new(MemoryStore::new())).open(None).await?;
    /// let visits = session.update("visits", |n: Option<u32>| n.unwrap_or(0) + 1).await?;
    /// assert_eq!(visits, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) if the value is not a `T`, [`Ended`](ErrorKind::Ended) if the
    /// session ended meanwhile, [`Conflict`](ErrorKind::Conflict) if others came first every time, and
    /// the store's. Nothing is stored then, except perhaps after [`Ambiguous`](ErrorKind::Ambiguous).
    pub async fn update<T, F>(&self, name: &str, f: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut(Option<T>) -> T,
    {
        check_name(name)?;
        self.0.update(name, f).await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state()
    }
}

impl Shared {
    /// No code panics while it holds the state, so a poisoned one is still whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request may be dropped or panic before its commit. Its changes are lost then, and somebody is told;
/// but whoever asked for the end of the session gets it.
impl Drop for Shared {
    fn drop(&mut self) {
        self.state().reclaim();
        let doomed = self.state().take_doomed();
        if self.state().is_changed() {
            self.manager.emit(Event::ChangesDropped);
        }
        if !doomed.is_empty() {
            let manager = self.manager.clone();
            Completion::new(async move { commit::end_all_unheard(&manager, doomed).await })
                .detach();
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("names", &self.keys()).finish_non_exhaustive()
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidName,
            "the name of a session value must not be empty",
        ));
    }
    Ok(())
}

pub(crate) fn decode<T: DeserializeOwned>(name: &str, value: &Value) -> Result<T, Error> {
    value.decode().map_err(|error| {
        Error::new(
            error.kind(),
            format!("the value of `{name}` is not of type `{}`", type_name::<T>()),
        )
    })
}
