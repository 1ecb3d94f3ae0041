use pycket_core::SessionId;

/// What a request presents as its session cookie or session header; the result of
/// [`SessionCookie::read`](crate::SessionCookie::read) and [`SessionHeader::read`](crate::SessionHeader::read).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Presented {
    /// No cookie of the name, or no header of the name with a value: the client has no session.
    Nothing,
    /// Only values that no key verifies: forged, truncated, signed with a removed key, or set
    /// by another application. Handle the client like one without an id, and count the event.
    Rejected,
    /// The ids that one of the keys signed, in the order of the request, each once. Usually
    /// there is one. A browser sends more if an older cookie has another path or domain. Pass all of them to
    /// [`SessionManager::open_first_of`](pycket_core::SessionManager::open_first_of): only the store knows
    /// which sessions are alive.
    Authentic(Vec<SignedId>),
}

/// An id that one of the keys signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedId {
    /// The id in the cookie or header.
    pub id: SessionId,
    /// Whether only previous keys signed it. Issue the id again, so that those keys can be removed.
    pub outdated_key: bool,
}
