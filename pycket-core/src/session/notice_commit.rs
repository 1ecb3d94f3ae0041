//! Storing [`Notifications`](crate::Notifications), as a part of the session's commit.

use crate::{Changes, Creation, Error, ErrorKind, Record, SessionId, SessionStore, Ttl, Update};

use super::settle::{self, Removal};
use super::state::Live;

/// Enough for a few requests that begin and empty the same record at the same time.
const ROUNDS: usize = 16;

/// Stores what was left for the visitor of `live`; `false` if the session has ended meanwhile.
pub(super) async fn store(
    notices: &dyn SessionStore,
    sessions: &dyn SessionStore,
    live: &Live,
    left: &Changes,
    ttl: Ttl,
) -> Result<bool, Error> {
    let record = Record::new(*live.record.metadata(), values(left));
    for _ in 0..ROUNDS {
        match settle::update(notices, &live.id, &record, left, Some(ttl)).await? {
            Update::Applied => return Ok(true),
            Update::Conflict | Update::Gone => {}
        }
        if create(notices, &live.id, &record, ttl).await? {
            return keep_if_alive(notices, sessions, &live.id).await;
        }
    }
    Err(Error::new(ErrorKind::Conflict, "other requests changed the notifications every time"))
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

/// A logout between the session's last sign of life and the record's creation would not have seen it.
async fn keep_if_alive(
    notices: &dyn SessionStore,
    sessions: &dyn SessionStore,
    id: &SessionId,
) -> Result<bool, Error> {
    if sessions.load(id).await?.is_some() {
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
