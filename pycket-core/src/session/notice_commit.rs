//! Storing [`Notifications`](crate::Notifications), as a part of the session's commit.

use std::mem;

use crate::{Changes, Creation, Error, ErrorKind, Record, SessionId, SessionStore, Ttl, Update};

use super::settle::{self, Removal};
use super::state::Live;

/// Enough for a few requests that begin and empty the same record at the same time.
const ROUNDS: usize = 16;

/// What this commit has done to the session that the notifications belong to.
pub(super) enum Owner {
    /// Stored it under an id that nobody else knows yet.
    New,
    /// Stored its changes, or renewed it.
    Stored,
    Untouched,
}

/// What became of what was left.
pub(super) enum Left {
    Stored,
    /// And the session was renewed.
    Renewed,
    /// The session has ended meanwhile.
    Gone,
}

/// Stores what was left, and what is still under earlier ids of the session.
pub(super) async fn leave(
    notices: &dyn SessionStore,
    sessions: &dyn SessionStore,
    live: &Live,
    owner: Owner,
    uncarried: &mut Vec<SessionId>,
    left: &mut Changes,
    ttl: Ttl,
) -> Result<Left, Error> {
    gather(notices, uncarried, left).await?;
    if left.is_empty() {
        return Ok(Left::Stored);
    }
    let (is_alive, stored) = match owner {
        Owner::New => {
            begin(notices, live, left, ttl).await?;
            return Ok(Left::Stored);
        }
        Owner::Stored => match put(notices, live, left, ttl).await? {
            Put::Added => return Ok(Left::Stored),
            Put::Begun => (sessions.load(&live.id).await?.is_some(), Left::Stored),
        },
        // Leaving a notification renews the session, so that it ends no earlier than what belongs to it.
        Owner::Untouched => {
            put(notices, live, left, ttl).await?;
            let touch = Changes::new();
            let touched =
                settle::update(sessions, &live.id, &live.record, &touch, Some(ttl)).await?;
            (touched == Update::Applied, Left::Renewed)
        }
    };
    if is_alive {
        return Ok(stored);
    }
    // A logout before the record was stored has not seen it.
    match settle::remove(notices, &live.id).await {
        Removal::Kept(error) | Removal::Unknown(error) => Err(error),
        Removal::Removed(_) | Removal::Absent | Removal::Unseen(_) => Ok(Left::Gone),
    }
}

/// Stores what was left for a visitor whose id nobody else knows yet.
async fn begin(
    notices: &dyn SessionStore,
    live: &Live,
    left: &Changes,
    ttl: Ttl,
) -> Result<(), Error> {
    let record = Record::new(*live.record.metadata(), values(left));
    create(notices, &live.id, &record, ttl).await.map(drop)
}

/// Takes away what is under these ids, which are the session's no more, and adds it to `left`, to be
/// stored under its new one. Those ids stay in the list where that failed.
///
/// It is removed before it is stored again: while both existed, two requests could read one of them. And
/// it is looked at before it is removed: only of a record that was there can the removal lose something.
/// Whoever creates one afterwards finds that the session is gone, and removes it.
async fn gather(
    notices: &dyn SessionStore,
    ids: &mut Vec<SessionId>,
    left: &mut Changes,
) -> Result<(), Error> {
    while let Some(id) = ids.last() {
        if notices.load(id).await?.is_some() {
            match settle::remove(notices, id).await {
                Removal::Removed(record) => {
                    let mut all = Changes::new();
                    for (name, value) in record.iter() {
                        all = all.set(name, value.clone());
                    }
                    *left = all.overlaid_with(mem::take(left));
                }
                Removal::Absent => {}
                Removal::Kept(error) | Removal::Unknown(error) | Removal::Unseen(error) => {
                    return Err(error);
                }
            }
        }
        ids.pop();
    }
    Ok(())
}

/// Where what was left went.
enum Put {
    /// To a record that was there.
    Added,
    /// In a new record.
    Begun,
}

async fn put(
    notices: &dyn SessionStore,
    live: &Live,
    left: &Changes,
    ttl: Ttl,
) -> Result<Put, Error> {
    let record = Record::new(*live.record.metadata(), values(left));
    for _ in 0..ROUNDS {
        match settle::update(notices, &live.id, &record, left, Some(ttl)).await? {
            Update::Applied => return Ok(Put::Added),
            Update::Conflict | Update::Ended => {}
        }
        if create(notices, &live.id, &record, ttl).await? {
            return Ok(Put::Begun);
        }
    }
    Err(Error::new(ErrorKind::Conflict, "other requests changed the notifications every time"))
}

/// Whether it was created, be it by an attempt whose answer was lost.
async fn create(
    notices: &dyn SessionStore,
    id: &SessionId,
    record: &Record,
    ttl: Ttl,
) -> Result<bool, Error> {
    match notices.create(id, record, ttl).await {
        Err(error) if settle::is_ambiguous(&error) => {
            match notices.create(id, record, ttl).await {
                // By this request or by another: the caller's update finds out.
                Ok(creation) => Ok(creation == Creation::Created),
                Err(_) => Err(error),
            }
        }
        answer => answer.map(|creation| creation == Creation::Created),
    }
}

fn values(left: &Changes) -> impl Iterator<Item = (&str, crate::Value)> {
    left.sets().map(|(name, value)| (name, value.clone()))
}
