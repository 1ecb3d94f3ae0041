use crate::UserSessionHandle;

/// An event in a session, for metrics and logs. It contains no session id and no data. A [`UserSessionHandle`] opens
/// nothing.
///
/// [`SessionManager::on_event`](crate::SessionManager::on_event) adds an observer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// A new session was stored.
    Created,
    /// A request that only read a session restarted its idle timeout.
    Renewed,
    /// The store failed to restart the idle timeout for a request that only read. The request succeeds,
    /// and the session ends earlier if no later request renews it.
    RenewalFailed,
    /// A session got a new id. The old id has ended.
    Rotated,
    /// A session was destroyed, usually by a logout.
    Destroyed,
    /// A request was dropped before it deleted a destroyed session or the old id of a rotated one, and it
    /// could not be deleted afterwards: the store failed, or no tokio runtime was running. The session or the
    /// old id stays live until it expires.
    DestroyFailed,
    /// The changes of a request were dropped, because its session had ended in the meantime.
    Ended,
    /// A client presented a cookie, or a session header, with an invalid signature. Web adapters emit this.
    CookieRejected,
    /// A client presented ids, and none has a live session: the session expired, was destroyed, or has another
    /// id now. This is usual after a logout and no sign of an attack.
    SessionNotFound,
    /// A user signed in, and this is the handle of the session. [`Created`](Self::Created) or
    /// [`Rotated`](Self::Rotated) is emitted, too.
    SignedIn(UserSessionHandle),
    /// The session of a user was destroyed, by a sign-out or because another user signed in.
    /// [`Destroyed`](Self::Destroyed) is emitted, too.
    SignedOut(UserSessionHandle),
    /// The session of a user was ended through [`UserSessions`](crate::UserSessions).
    EndedByUser(UserSessionHandle),
    /// The session of a user was ended, because the user signed in elsewhere and had the maximum number of sessions.
    EndedByLimit(UserSessionHandle),
    /// A user who signed in has more sessions than the maximum, because the store failed to end the oldest. The
    /// sign-in is stored. The next sign-in of the user tries again.
    LimitFailed,
    /// The last handle of a session was dropped with uncommitted changes. The changes are lost.
    ChangesDropped,
}
