use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, ErrorKind, Session, Value};

/// Messages for a visitor that are read once: "your order is on its way", shown after a redirect.
///
/// A second mapping under the session's id, in a dataset of its own
/// ([`SessionManagerBuilder::notifications`](crate::SessionManagerBuilder::notifications)), so a
/// notification and a session value of one name do not meet. Reading hands a value out exactly once,
/// decided by the store: of any number of requests that ask at the same time, one gets it.
///
/// What is set is stored when the session is committed, and it begins a session where there is none.
/// A new id takes notifications along, and the end of the session ends them. A request that uses none
/// pays nothing; reading costs one store call, and a second one if there is something to hand out.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), pycket_core::Error> {
/// use pycket_core::{MemoryStore, SessionManager};
///
/// let manager = SessionManager::builder(MemoryStore::new())
///     .notifications(MemoryStore::new())
///     .build()?;
///
/// let session = manager.open(None).await?;
/// session.notifications().set("info", "Saved.")?;
/// session.commit().await?;
///
/// let next = manager.open(session.id()).await?;
/// assert_eq!(next.notifications().get::<String>("info").await?.as_deref(), Some("Saved."));
/// assert_eq!(next.notifications().get::<String>("info").await?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Notifications(Session);

impl Notifications {
    pub(crate) fn new(session: Session) -> Self {
        Self(session)
    }

    /// Leaves a notification, instead of an unread one of that name. It is stored when the session is
    /// committed; this request may read it, too.
    ///
    /// # Errors
    ///
    /// [`Encode`](ErrorKind::Encode), [`InvalidName`](ErrorKind::InvalidName) for the empty name,
    /// [`InvalidSetting`](ErrorKind::InvalidSetting) if the manager has no store for notifications.
    pub fn set<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<(), Error> {
        self.0.leave_notice(name, Value::encode(value)?)
    }

    /// Hands out the notification, to this caller and nobody else, or `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) if the value is not a `T`; it is not handed out then. And the
    /// store's: after [`Ambiguous`](ErrorKind::Ambiguous) nobody can say whether it was handed out.
    pub async fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        self.0.take_notice(name).await
    }

    /// As [`get`](Self::get), with `default` if there is none.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    pub async fn get_or<T: DeserializeOwned>(&self, name: &str, default: T) -> Result<T, Error> {
        Ok(self.get(name).await?.unwrap_or(default))
    }

    /// As [`get`](Self::get), for one that has to be there.
    ///
    /// # Errors
    ///
    /// [`KeyNotFound`](ErrorKind::KeyNotFound), and as for [`get`](Self::get).
    pub async fn require<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        self.get(name).await?.ok_or_else(|| {
            Error::new(ErrorKind::KeyNotFound, format!("`{name}` not found in notifications"))
        })
    }

    /// Looks at the notification and leaves it there.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) if the value is not a `T`, and the store's.
    pub async fn peek<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let unread = self.0.notices().await?;
        unread.get(name).map(|value| super::session::decode(name, value)).transpose()
    }

    /// Whether there is an unread one of that name. It stays.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn contains(&self, name: &str) -> Result<bool, Error> {
        Ok(self.0.notices().await?.get(name).is_some())
    }

    /// The names of the unread ones, in order. They stay.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn keys(&self) -> Result<Vec<String>, Error> {
        Ok(self.0.notices().await?.names().map(str::to_owned).collect())
    }

    /// Hands out all of them, in the order of their names.
    ///
    /// # Errors
    ///
    /// The store's, as for [`get`](Self::get).
    pub async fn drain(&self) -> Result<Vec<(String, Value)>, Error> {
        self.0.take_all_notices().await
    }
}

impl fmt::Debug for Notifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifications").finish_non_exhaustive()
    }
}
