use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, ErrorKind, Session, SessionId, Value};

use super::commit_lock::CommitLock;
use super::pointer::{Place, Pointer};
use super::{check_name, decode};

/// The maximum number of unread notifications of one session.
///
/// A session's record holds a pointer to each. Without a limit, a client that never reads them would fill
/// its record until nothing else can be stored.
const MAX_UNREAD: usize = 64;

/// Messages of a session that are read once, such as "Saved." after a redirect.
///
/// A notification and a session value of the same name are independent. Reading hands a notification out
/// exactly once: of any number of requests that ask at the same time, the store gives it to one.
///
/// Notifications are stored when the session is committed, and create a session where there is none. They
/// stay with the session when its id changes, and end with it. A notification lives as long as the session
/// had left when it was stored; a later renewal of the session does not renew it.
///
/// A session has at most 64 unread notifications. One more replaces the oldest.
///
/// [`contains`](Self::contains) and [`keys`](Self::keys) need no store call, because the session's record
/// points to its notifications. A notification that has expired, or that another request is reading at this
/// moment, may still be among them. Each notification that is handed out costs one store call.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), pycket_core::Error> {
/// use pycket_core::{MemoryStore, SessionManager};
///
/// let manager = SessionManager::new(MemoryStore::new());
///
/// let session = manager.open(None).await?;
/// session.notifications().set("info", "Saved.")?;
/// session.commit().await?;
///
/// let next = manager.open(session.id()).await?;
/// assert_eq!(next.notifications().get::<String>("info").await?.as_deref(), Some("Saved."));
/// assert_eq!(next.notifications().get::<String>("info").await?, None);
/// # next.commit().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Notifications(pub(super) Session);

impl Notifications {
    /// Leaves a notification, and replaces the unread ones of this name. The commit of the session stores it;
    /// this request can read it at once.
    ///
    /// # Errors
    ///
    /// [`Encode`](ErrorKind::Encode) if serde cannot serialize the value, and
    /// [`InvalidName`](ErrorKind::InvalidName) as for [`Session::set`].
    pub fn set<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<(), Error> {
        self.leave(name, Value::encode(value)?, true)
    }

    /// Leaves a notification beside the unread ones of this name.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), pycket_core::Error> {
    /// # use pycket_core::{MemoryStore, SessionManager};
    /// # let session = SessionManager::new(MemoryStore::new()).open(None).await?;
    /// session.notifications().push("info", "Saved.")?;
    /// session.notifications().push("info", "Sent.")?;
    /// let mut shown = Vec::new();
    /// while let Some(text) = session.notifications().get::<String>("info").await? {
    ///     shown.push(text);
    /// }
    /// assert_eq!(shown, ["Saved.", "Sent."]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`set`](Self::set).
    pub fn push<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<(), Error> {
        self.leave(name, Value::encode(value)?, false)
    }

    /// Hands out the oldest unread notification of this name, to this request and no other; `None` if there
    /// is none.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) if the value is not a `T`. It stays unread; only a request that asks for
    /// it in that moment may lose it. And the errors of the store: after
    /// [`Ambiguous`](ErrorKind::Ambiguous) the notification is either unread or lost, and after
    /// [`Corrupt`](ErrorKind::Corrupt) it is deleted.
    pub async fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let shared = &*self.0.0;
        let _lock = CommitLock::acquire(shared).await;
        for pointer in shared.unread(name) {
            let Some(value) = shared.hand_out(&pointer).await? else { continue };
            let decoded = decode(name, &value);
            match decoded {
                Ok(_) => shared.state().remove_unread(&pointer.id),
                Err(_) => shared.put_back(&pointer, value).await?,
            }
            return decoded.map(Some);
        }
        Ok(None)
    }

    /// As [`get`](Self::get), with `default` if there is none.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    pub async fn get_or<T: DeserializeOwned>(&self, name: &str, default: T) -> Result<T, Error> {
        Ok(self.get(name).await?.unwrap_or(default))
    }

    /// As [`get`](Self::get); a missing notification is an error.
    ///
    /// # Errors
    ///
    /// [`KeyNotFound`](ErrorKind::KeyNotFound), and as for [`get`](Self::get).
    pub async fn require<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        self.get(name).await?.ok_or_else(|| {
            let message = format!("`{}` not found in notifications", name.escape_debug());
            Error::new(ErrorKind::KeyNotFound, message)
        })
    }

    /// Reads the oldest unread notification of this name and leaves it unread: one store call.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) if the value is not a `T`, and the errors of the store.
    pub async fn peek<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let shared = &*self.0.0;
        for pointer in shared.unread(name) {
            let record = match shared.new_notification(&pointer.id) {
                Some(record) => Some(record),
                None => {
                    let found = shared.manager.notifications().load(&pointer.id).await?;
                    found.map(|found| found.record)
                }
            };
            if let Some(value) = record.as_ref().and_then(|record| record.get(name)) {
                return decode(name, value).map(Some);
            }
        }
        Ok(None)
    }

    /// Whether there is an unread notification of this name. It stays unread.
    pub fn contains(&self, name: &str) -> bool {
        self.0.state().unread().iter().any(|pointer| pointer.name == name)
    }

    /// The names of the unread notifications, each once, in order. They stay unread.
    pub fn keys(&self) -> Vec<String> {
        let unread = self.0.state().unread();
        let mut names: Vec<_> = unread.iter().map(|pointer| pointer.name.to_string()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Hands out all unread notifications, in the order in which they were left.
    ///
    /// # Errors
    ///
    /// The errors of the store. All notifications are unread then, except that after
    /// [`Ambiguous`](ErrorKind::Ambiguous) some may be lost, and after [`Corrupt`](ErrorKind::Corrupt) the damaged one is
    /// deleted.
    #[doc(alias = "all")]
    pub async fn drain(&self) -> Result<Vec<(String, Value)>, Error> {
        let shared = &*self.0.0;
        let _lock = CommitLock::acquire(shared).await;
        let unread = shared.state().unread();
        let mut taken = Vec::new();
        for pointer in unread {
            match shared.hand_out(&pointer).await {
                Ok(value) => taken.extend(value.map(|value| (pointer, value))),
                Err(error) => {
                    for (pointer, value) in taken {
                        shared.put_back(&pointer, value).await?;
                    }
                    return Err(error);
                }
            }
        }
        let mut state = shared.state();
        let handed_out = taken.into_iter().map(|(pointer, value)| {
            state.remove_unread(&pointer.id);
            (pointer.name.into(), value)
        });
        Ok(handed_out.collect())
    }

    fn leave(&self, name: &str, value: Value, replaces: bool) -> Result<(), Error> {
        check_name(name)?;
        let now = self.0.0.manager.clock().now();
        let mut state = self.0.state();
        let unread = state.unread();
        let place = Place::after(unread.last().map(|last| last.place), now);
        let (same, mut others): (Vec<_>, Vec<_>) =
            unread.into_iter().partition(|unread| replaces && unread.name == name);
        let surplus = (others.len() + 1).saturating_sub(MAX_UNREAD);
        for unread in same.into_iter().chain(others.drain(..surplus)) {
            state.replace_unread(&unread.id);
        }
        let pointer = Pointer { id: SessionId::generate(), name: name.into(), place };
        state.leave(&pointer, value)
    }
}

impl fmt::Debug for Notifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifications").finish_non_exhaustive()
    }
}
