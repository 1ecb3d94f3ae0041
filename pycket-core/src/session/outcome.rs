use crate::SessionId;

/// What a commit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// There was nothing to store.
    Unchanged,
    /// The idle timeout was renewed.
    Touched,
    /// The changes are stored.
    Updated,
    /// A new session is stored, perhaps after another one was destroyed.
    Created,
    /// The session has a new id, and the changes are stored, for example after a sign-in.
    Rotated,
    /// The session was destroyed.
    Destroyed,
    /// The session had ended before the commit. The changes are dropped. Only if a reply of the store was lost
    /// may they have been stored before another request gave the session a new id.
    Ended,
}

/// What the cookie has to say after the commits of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdChange {
    /// Nothing new.
    Unchanged,
    /// The session has this new id.
    Issued(SessionId),
    /// The session keeps this id, and its idle timeout was renewed.
    Renewed(SessionId),
    /// The client has to forget its id.
    Withdrawn,
}
