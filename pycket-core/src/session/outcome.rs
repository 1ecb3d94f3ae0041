use crate::SessionId;

/// What a commit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Nothing: there was nothing to store.
    Unchanged,
    /// The life was renewed.
    Touched,
    /// The changes are stored.
    Updated,
    /// A session was stored for the first time, perhaps after another one was destroyed.
    Created,
    /// The session has a new id, and the changes are stored.
    Rotated,
    /// The session was ended.
    Destroyed,
    /// The session had ended meanwhile; the changes are dropped.
    Ended,
}

/// What a client has to be told after the commits of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdChange {
    /// Nothing.
    Unchanged,
    /// This is the id from now on.
    Issued(SessionId),
    /// The id is the same and its life was renewed.
    Renewed(SessionId),
    /// The id is to be forgotten.
    Withdrawn,
}
