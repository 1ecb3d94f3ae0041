use std::fmt::Display;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::timeouts::OwnTimeouts;
use crate::users::{UserEntry, check_user_id, cut_label};
use crate::{Error, Session, UserSessionHandle, UserSessions};

use super::sign_in::SignIn;
use super::state::{Base, State};
use super::work::Rotation;

/// The user. A sign-in takes effect when the session is committed.
impl Session {
    /// Signs a user in. Call it when the user has proved who it is, and [`destroy`](Self::destroy) at sign-out.
    ///
    /// `user_id` is what the application knows the user by and never changes: a number, a UUID, or any text of 1 to
    /// 1024 bytes. [`user_id`](Self::user_id) returns it at once. The commit
    ///
    /// - gives the session a new id, and both timeouts start anew;
    /// - keeps the values of a session that belonged to no user, or to the same one. After another user the session
    ///   is empty at once: values, notifications, and timeouts of its own. What this request sets after this call,
    ///   and what it gave to [`remember`](Self::remember), is kept;
    /// - lists the session among those of the user, see [`user_sessions`](Self::user_sessions). If the user has more
    ///   than the [maximum](crate::SessionManagerBuilder::max_sessions_per_user), it ends the oldest;
    /// - ends every other session that the client presented.
    ///
    /// A sign-in always has its own session. If the one of before has ended in the meantime, it begins another. If
    /// the request fails before the commit, everything stays as it was.
    ///
    /// The store keeps the list of a user's sessions under a key that is a hash of the user's id. So who can read the
    /// keys can find out whether a user whose id can be guessed, for example an address, has signed in.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), pycket_core::Error> {
    /// # use pycket_core::{MemoryStore, SessionManager};
    /// # let manager = SessionManager::new(MemoryStore::new());
    /// # let session = manager.open(None).await?;
    /// session.log_in(42)?;
    /// assert_eq!(session.user_id().as_deref(), Some("42"));
    /// session.commit().await?;
    ///
    /// assert_eq!(manager.user(42)?.sessions().await?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidUserId`](crate::ErrorKind::InvalidUserId) if the id is empty or longer than 1024 bytes. The session is
    /// unchanged then.
    #[doc(alias = "login")]
    #[doc(alias = "sign_in")]
    pub fn log_in(&self, user_id: impl Display) -> Result<(), Error> {
        let user_id = check_user_id(user_id)?;
        self.state().log_in(user_id, None);
        Ok(())
    }

    /// As [`log_in`](Self::log_in), with a label by which the user recognizes the session in a list, for example the
    /// browser. A label of more than 256 bytes is cut.
    ///
    /// # Errors
    ///
    /// As for [`log_in`](Self::log_in).
    pub fn log_in_labelled(
        &self,
        user_id: impl Display,
        label: impl AsRef<str>,
    ) -> Result<(), Error> {
        let user_id = check_user_id(user_id)?;
        self.state().log_in(user_id, Some(cut_label(label.as_ref())));
        Ok(())
    }

    /// The id of the user who is signed in; `None` if no user is. It calls no store.
    ///
    /// It is the text of what was given to [`log_in`](Self::log_in), also before the commit.
    pub fn user_id(&self) -> Option<String> {
        self.state().user().map(|(user_id, _)| user_id.into())
    }

    /// The public name of the session of a user; `None` if no user is signed in. It is safe to show, stays the same
    /// when the id changes, and opens nothing.
    pub fn handle(&self) -> Option<UserSessionHandle> {
        self.state().user().map(|(_, handle)| handle)
    }

    /// The sessions of the user who is signed in, to list and to end them; `None` if no user is. It calls no store,
    /// and knows that this session is the current one.
    pub fn user_sessions(&self) -> Option<UserSessions> {
        let (user_id, handle) = self.state().user()?;
        Some(UserSessions::new(self.0.manager.clone(), user_id, Some(handle)))
    }
}

/// The user.
impl State {
    /// The user of the session and the session's handle, also if the sign-in is not stored yet.
    pub(crate) fn user(&self) -> Option<(SmolStr, UserSessionHandle)> {
        if let Some(sign_in) = &self.work.sign_in {
            return Some((sign_in.user_id.clone(), sign_in.handle));
        }
        let user = UserEntry::of(&self.live()?.record)?;
        Some((user.user_id, user.handle))
    }

    pub(crate) fn log_in(&mut self, user_id: SmolStr, label: Option<SmolStr>) {
        if let Base::Ended = self.base {
            // The user has just proved who it is, so this begins another session.
            self.base = Base::Absent;
        }
        let mut starts_empty = self.starts_empty();
        let current = self.user();
        if current.as_ref().is_some_and(|(current, _)| *current != user_id) {
            starts_empty = true;
            self.forget_all();
        }
        // A session that already belongs to the user keeps its handle.
        let stored = self.live().and_then(|live| UserEntry::of(&live.record));
        let stored = stored.map(|user| (user.user_id, user.handle));
        let same = [stored, current].into_iter().flatten().find(|(id, _)| *id == user_id);
        let handle = same.map_or_else(UserSessionHandle::generate, |(_, handle)| handle);
        self.rotate(Rotation::RestartTimeouts);
        self.work.sign_in = Some(Arc::new(SignIn {
            user_id,
            handle,
            label,
            starts_empty,
            has_started_again: false,
        }));
    }

    /// Drops what this request has not stored, except deletes and timeouts.
    fn forget_all(&mut self) {
        let name = OwnTimeouts::NAME;
        let timeouts = self.work.changes().get(name).flatten().cloned();
        self.work.abandon();
        if let Some(timeouts) = timeouts {
            self.work.changes_mut().insert(name.into(), Some(timeouts));
        }
    }
}
