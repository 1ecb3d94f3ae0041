/// Something worth counting. Events carry no id and no data.
///
/// Listen with [`SessionManager::on_event`](crate::SessionManager::on_event).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// A session was stored for the first time.
    Created,
    /// A session's life was renewed by a request that only read it.
    Renewed,
    /// The store failed to renew the life of a session that was only read. Nothing is lost but time.
    RenewalFailed,
    /// A session got a new id; the old one is dead.
    Rotated,
    /// A session was ended on purpose.
    Destroyed,
    /// Changes were dropped because their session had ended meanwhile.
    Ended,
    /// A client presented a cookie whose signature is not valid. Web adapters emit it.
    CookieRejected,
    /// A session was opened by an id that has no live session: it expired, was destroyed, or has another id
    /// by now. This is usual after a logout and no sign of an attack.
    SessionNotFound,
    /// The last handle of a session was dropped with changes that nobody committed.
    ChangesDropped,
}
