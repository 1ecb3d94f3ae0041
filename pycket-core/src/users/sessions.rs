use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::completion::Completion;
use crate::session::Live;
use crate::{Error, ErrorKind, Event, Session, SessionManager, Timestamp, Update};

use super::concurrently::{Task, concurrently};
use super::index::{LOST_REPLIES, ROUNDS};
use super::listing::Known;
use super::{Listing, UserEntry, UserIndex, UserSessionHandle};

/// The sessions of one user: which there are, and how to end them.
///
/// [`SessionManager::user`] returns it for any user, for example for an administrator or after a change of the
/// password. [`Session::user_sessions`] returns it for the user who is signed in, and knows which session is the
/// current one. A clone is for the same user.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), pycket_core::Error> {
/// # use pycket_core::{MemoryStore, SessionManager};
/// let manager = SessionManager::new(MemoryStore::new());
///
/// let laptop = manager.open(None).await?;
/// laptop.log_in_labelled("ann", "Firefox on Linux")?;
/// laptop.commit().await?;
///
/// let phone = manager.open(None).await?;
/// phone.log_in_labelled("ann", "Safari on iPhone")?;
/// phone.commit().await?;
///
/// let sessions = phone.user_sessions().unwrap();
/// for session in sessions.sessions().await? {
///     println!("{:?}, this one: {}", session.label, session.is_current);
/// }
/// assert_eq!(sessions.end_all_except(&phone).await?, 1);
/// assert!(manager.open(laptop.id()).await?.user_id().is_none());
/// # Ok(())
/// # }
/// ```
///
/// # Several requests at the same time
///
/// When a call that ends sessions returns `Ok`, no session that it had to end is live or can come back, also if it
/// was changing its id at this moment. A session that signs in while the call runs is either ended or counts as
/// later. The calls run to their end even if the caller is dropped.
///
/// To make an old password worthless at once, change it first and end the sessions afterwards. A sign-in that has
/// checked the old password before and is stored after `end_all` is still live. So keep a number in the user's
/// account, raise it with each change of the password, [`set`](Session::set) it in the session at sign-in, and treat
/// a session with another number as signed out.
#[derive(Clone)]
pub struct UserSessions(Arc<User>);

struct User {
    manager: SessionManager,
    user_id: SmolStr,
    current: Option<UserSessionHandle>,
}

/// A live session of a user, as [`UserSessions::sessions`] lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserSession {
    /// The name by which [`UserSessions::end`] ends it. It is safe to show, and opens nothing.
    pub handle: UserSessionHandle,
    /// When the user signed in.
    pub signed_in_at: Timestamp,
    /// When the session was last renewed: stored, changed, or touched.
    pub last_renewed: Timestamp,
    /// What the application called it at [sign-in](Session::log_in_labelled). A label from a `User-Agent` header is
    /// text that the client chose.
    pub label: Option<String>,
    /// Whether it is the session from which [`Session::user_sessions`] was called.
    pub is_current: bool,
}

/// What the store has of a listed session.
enum Found {
    Live(UserSession),
    /// There is a record, and one of its timeouts has passed, or it cannot be read.
    Unusable,
    Absent,
}

impl UserSessions {
    pub(crate) fn new(
        manager: SessionManager,
        user_id: SmolStr,
        current: Option<UserSessionHandle>,
    ) -> Self {
        Self(Arc::new(User { manager, user_id, current }))
    }

    /// The id of the user.
    pub fn user_id(&self) -> &str {
        &self.0.user_id
    }

    /// The live sessions of the user, the newest sign-in first.
    ///
    /// It costs one `load`, and one for each session, of which at most 16 are under way at the same time. If one of
    /// them has ended, an `update` removes it from the list of the store.
    ///
    /// # Errors
    ///
    /// The errors of the store, and [`Corrupt`](ErrorKind::Corrupt) if the list cannot be read.
    pub async fn sessions(&self) -> Result<Vec<UserSession>, Error> {
        let index = self.0.index();
        let mut live = Vec::new();
        let mut absent: Option<Vec<UserSessionHandle>> = None;
        let mut lost = 0;
        for _ in 0..ROUNDS {
            let mut listing = index.load().await?;
            // First all sessions, and then those of which no record was found.
            let is_left = |handle| absent.as_ref().is_none_or(|absent| absent.contains(&handle));
            let mut not_found = Vec::new();
            for (handle, sequence, found) in self.0.find(&listing, is_left).await? {
                match found {
                    Found::Live(session) => live.push((sequence, session)),
                    Found::Absent => not_found.push(handle),
                    Found::Unusable => {}
                }
            }
            if not_found.is_empty() {
                break;
            }
            match index.forget(&mut listing, &not_found).await {
                // A session that got another id while this looked is listed with it. So look again.
                Ok(Update::Conflict) => absent = Some(not_found),
                Ok(_) => break,
                Err(error) if error.kind() == ErrorKind::Ambiguous && lost < LOST_REPLIES => {
                    lost += 1;
                    absent = Some(not_found);
                }
                Err(error) => return Err(error),
            }
        }
        live.sort_by_key(|(sequence, _)| Reverse(*sequence));
        Ok(live.into_iter().map(|(_, session)| session).collect())
    }

    /// Ends the session of this handle. Returns `false` if the user has no such session, and ends nothing then: a
    /// handle of another user's session is like an unknown one.
    ///
    /// It costs a `load`, an `update`, and a `delete` for each id that the session has had (at most eight) and for each
    /// unread notification.
    ///
    /// # Errors
    ///
    /// As for [`sessions`](Self::sessions), and [`Conflict`](ErrorKind::Conflict) if other requests change the list
    /// every time. The session may be live then; call it again.
    pub async fn end(&self, handle: &UserSessionHandle) -> Result<bool, Error> {
        let handle = *handle;
        Ok(!self.end_where(move |listed| listed == handle).await?.is_empty())
    }

    /// Ends all sessions of the user ("sign out everywhere"), also the current one. Returns how many were live.
    ///
    /// It costs a `load`, an `update`, and for each session what [`end`](Self::end) deletes; at most 16 sessions are
    /// under way at the same time. The cookie of the current session stays at the client, and opens nothing. To remove
    /// it, also [destroy](Session::destroy) the session.
    ///
    /// If a part of the store is down, it still tries all sessions, and ends those on the part that answers. So it may
    /// take as long as the store's own timeout for every 16 sessions on the other part.
    ///
    /// # Errors
    ///
    /// As for [`end`](Self::end). Some sessions may be live then; call it again.
    #[doc(alias = "logout_all")]
    pub async fn end_all(&self) -> Result<usize, Error> {
        Ok(self.end_where(|_| true).await?.len())
    }

    /// Ends all sessions of the user but this one ("sign out everywhere else"). Returns how many were live. If the
    /// session belongs to another user or to none, it ends them all.
    ///
    /// # Errors
    ///
    /// As for [`end_all`](Self::end_all).
    pub async fn end_all_except(&self, session: &Session) -> Result<usize, Error> {
        let kept = session.handle();
        Ok(self.end_where(move |listed| Some(listed) != kept).await?.len())
    }

    /// Ends the chosen sessions, even if the caller is dropped.
    async fn end_where(
        &self,
        is_chosen: impl Fn(UserSessionHandle) -> bool + Send + 'static,
    ) -> Result<Vec<UserSessionHandle>, Error> {
        let user = Arc::clone(&self.0);
        let ending = async move {
            let index = user.index();
            let ended = index.end(index.load().await?, is_chosen).await?;
            for handle in &ended {
                user.manager.emit(Event::EndedByUser(*handle));
            }
            Ok(ended)
        };
        Completion::new(self.0.manager.runtime(), ending).await
    }
}

impl User {
    fn index(&self) -> UserIndex<'_> {
        UserIndex::new(&self.manager, &self.user_id)
    }

    /// Looks at the chosen ones of the listed sessions, the oldest sign-in first.
    async fn find(
        &self,
        listing: &Listing,
        is_chosen: impl Fn(UserSessionHandle) -> bool,
    ) -> Result<Vec<(UserSessionHandle, u64, Found)>, Error> {
        let chosen = listing.by_age().into_iter().filter(|(handle, _)| is_chosen(*handle));
        let look = |(handle, known)| Box::pin(self.look(handle, known)) as Task<'_, _>;
        concurrently(chosen.map(look).collect()).await.into_iter().collect()
    }

    async fn look(
        &self,
        handle: UserSessionHandle,
        known: &Known,
    ) -> Result<(UserSessionHandle, u64, Found), Error> {
        let mut found = Found::Absent;
        // The newest id is the one that is live, unless the session is changing its id at this moment.
        for id in known.entry.ids.iter().rev() {
            let loaded = match self.manager.store().load(id).await {
                Ok(Some(loaded)) => self.manager.unless_ended(*id, loaded),
                Ok(None) => continue,
                // One unreadable record must not hide the other sessions.
                Err(error) if error.kind() == ErrorKind::Corrupt => None,
                Err(error) => return Err(error),
            };
            match loaded {
                Some(live) => {
                    return Ok((handle, known.sequence, Found::Live(self.describe(handle, &live))));
                }
                None => found = Found::Unusable,
            }
        }
        Ok((handle, known.sequence, found))
    }

    fn describe(&self, handle: UserSessionHandle, live: &Live) -> UserSession {
        let entry = UserEntry::of(&live.record);
        let created = live.record.metadata().created;
        UserSession {
            handle,
            signed_in_at: entry.as_ref().map_or(created, |entry| entry.signed_in_at),
            last_renewed: live.last_renewed(self.manager.clock()).unwrap_or(created),
            label: entry.and_then(|entry| entry.label).map(String::from),
            is_current: self.current == Some(handle),
        }
    }
}

impl fmt::Debug for UserSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserSessions").finish_non_exhaustive()
    }
}
