//! Storing [`Notifications`](crate::Notifications), as a part of the session's commit.

use crate::{Changes, Creation, Error, ErrorKind, Record, SessionId, SessionStore, Ttl, Update};

use super::settle::{self, Removal};
use super::state::Live;

/// Enough for a few requests that begin and empty the same record at the same time.
const ROUNDS: usize = 16;

/// Stores what was left for the visitor of `live`, whose session this commit has just stored; `false` if
/// it has ended meanwhile.
pub(super) async fn store(
    notices: &dyn SessionStore,
    sessions: &dyn SessionStore,
    live: &Live,
    left: &Changes,
    ttl: Ttl,
) -> Result<bool, Error> {
    match put(notices, live, left, ttl).await? {
        Put::Added => Ok(true),
        Put::Begun => {
            let is_alive = sessions.load(&live.id).await?.is_some();
            keep(notices, &live.id, is_alive).await
        }
    }
}

/// As [`store`], where the commit has not stored the session: leaving a notification renews its life, so
/// that it ends no earlier than what belongs to it.
pub(super) async fn store_and_renew(
    notices: &dyn SessionStore,
    sessions: &dyn SessionStore,
    live: &Live,
    left: &Changes,
    ttl: Ttl,
) -> Result<bool, Error> {
    put(notices, live, left, ttl).await?;
    let touch = Changes::new();
    let renewed = settle::update(sessions, &live.id, &live.record, &touch, Some(ttl)).await?;
    keep(notices, &live.id, renewed == Update::Applied).await
}

/// Stores what was left for a visitor whose id nobody else knows yet.
pub(super) async fn begin(
    notices: &dyn SessionStore,
    live: &Live,
    left: &Changes,
    ttl: Ttl,
) -> Result<(), Error> {
    let record = Record::new(*live.record.metadata(), values(left));
    create(notices, &live.id, &record, ttl).await.map(drop)
}

/// Takes the notifications from the old id to the new one, with what was left meanwhile.
///
/// They are removed first: while both existed, two requests could read one of them. `Err` has what is
/// to be stored yet.
pub(super) async fn carry(
    notices: &dyn SessionStore,
    old: &SessionId,
    live: &Live,
    left: &Changes,
    ttl: Ttl,
) -> Result<(), (Changes, Error)> {
    let mut all = Changes::new();
    match settle::remove(notices, old).await {
        Removal::Removed(record) => {
            for (name, value) in record.iter() {
                all = all.set(name, value.clone());
            }
        }
        Removal::Absent | Removal::Unseen => {}
        Removal::Kept(error) | Removal::Unknown(error) => return Err((left.clone(), error)),
    }
    let all = all.overlaid_with(left.clone());
    if all.is_empty() {
        return Ok(());
    }
    begin(notices, live, &all, ttl).await.map_err(|error| (all, error))
}

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
            Update::Conflict | Update::Gone => {}
        }
        if create(notices, &live.id, &record, ttl).await? {
            return Ok(Put::Begun);
        }
    }
    Err(Error::new(ErrorKind::Conflict, "other requests changed the notifications every time"))
}

/// A logout before the record was stored would not have seen it. Whether the session lives.
async fn keep(notices: &dyn SessionStore, id: &SessionId, is_alive: bool) -> Result<bool, Error> {
    if is_alive {
        return Ok(true);
    }
    match settle::remove(notices, id).await {
        Removal::Kept(error) | Removal::Unknown(error) => Err(error),
        Removal::Removed(_) | Removal::Absent | Removal::Unseen => Ok(false),
    }
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
