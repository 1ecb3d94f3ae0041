use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use tokio::runtime::Handle;

use super::{SessionManager, SessionManagerBuilder};
use crate::{Clock, Error, Event, Expiry, SessionStore};

impl SessionManagerBuilder {
    /// Keeps the [`Notifications`](crate::Notifications) in a store of their own. By default they are in
    /// the store of the sessions.
    pub fn notifications(mut self, store: impl SessionStore) -> Self {
        self.0.notifications = Some(Arc::new(store));
        self
    }

    /// When sessions end; by default [`Expiry::default`].
    #[doc(alias = "with_expiry")] // tower-sessions
    pub fn expiry(mut self, expiry: Expiry) -> Self {
        self.0.expiry = expiry;
        self
    }

    /// The clock for the absolute timeout and for renewals; by default the clock of the machine.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.0.clock = Arc::new(clock);
        self
    }

    /// A name for the users of this application, by default the empty one. Two applications that keep their sessions
    /// in one store, under one prefix, need different ones, unless their users are the same.
    ///
    /// Another name later hides the sessions that users have at that time from
    /// [`SessionManager::user`], until they sign in again or are renewed.
    pub fn user_namespace(mut self, name: impl Into<String>) -> Self {
        self.0.user_namespace = name.into();
        self
    }

    /// The maximum number of live sessions of one user, by default 200, so that a client which signs in again and
    /// again cannot fill the record that lists them. 1 means one device at a time. A sign-in beyond it ends the
    /// session whose sign-in is the oldest, and never itself.
    #[doc(alias = "maximumSessions")] // Spring Security
    pub fn max_sessions_per_user(mut self, max: NonZeroUsize) -> Self {
        self.0.max_sessions_per_user = max;
        self
    }

    /// Whether each session that belongs to a user must also be in the list of this user's sessions; by default
    /// `false`. Opening one costs a second `load` then.
    ///
    /// A store that may remove records for lack of memory, such as memcached or a Redis with an eviction policy, can
    /// remove the list of a user and keep the sessions. Without this check, such a session is live but is neither
    /// listed nor ended by [`UserSessions::end_all`](crate::UserSessions::end_all), until it is renewed for a fifth of
    /// its idle timeout, changes its id, or signs in again. With the check, it ends with the list.
    pub fn check_user_index(mut self, check: bool) -> Self {
        self.0.checks_user_index = check;
        self
    }

    /// The tokio runtime that deletes a destroyed session whose last handle is dropped on a thread without a
    /// runtime. By default it is the one on which the manager is used first.
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.0.runtime = OnceLock::from(runtime);
        self
    }

    /// As [`SessionManager::on_event`].
    pub fn on_event(mut self, observer: impl Fn(Event) + Send + Sync + 'static) -> Self {
        self.0.observers.push(Arc::new(observer));
        self
    }

    /// Builds the manager.
    ///
    /// # Errors
    ///
    /// None today. A later setting may be one that can be wrong.
    pub fn build(self) -> Result<SessionManager, Error> {
        Ok(SessionManager(Arc::new(self.0)))
    }
}
