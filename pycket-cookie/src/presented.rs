use pycket_core::SessionId;

/// What a request presents as its session cookie; the result of
/// [`SessionCookie::read`](crate::SessionCookie::read).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Presented {
    /// No cookie of the name: the client has no session.
    Nothing,
    /// Only cookies of the name that no key verifies: forged, truncated, signed with a removed key, or set
    /// by another application. Handle the client like one without a cookie, and count the event.
    Rejected,
    /// A cookie that one of the keys signed.
    Authentic {
        /// The id in the cookie. Only the store knows whether its session is alive.
        id: SessionId,
        /// Whether a previous key signed it. Issue the cookie again, so that the key can be removed.
        outdated_key: bool,
    },
}
