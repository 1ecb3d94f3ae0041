use crate::{
    Changes, Error, Metadata, Record, SessionId, SessionManager, SessionStore, Ttl, Update,
};

use super::pending::{Doomed, Fate, Pending};
use super::settle::{self, Removal};
use super::state::Live;

/// How a change of the id ended.
pub(super) enum Rotated {
    /// The session has the new id. If what others wrote meanwhile could not be carried over, or the old
    /// id may still be alive, that and the reason are left.
    Done { id: SessionId, record: Record, ttl: Ttl, left: Option<Box<Left>> },
    /// The session had ended; the new id ended with it.
    Gone,
    /// The session still has its old id.
    Failed(Error),
}

/// What is still to do, and why it could not be done.
pub(super) type Left = (Pending, Error);

/// Stores `record` under a new id, removes the old one, and carries over what others wrote to it
/// after `live` was loaded. In this order a failure at any point leaves an id that works.
pub(super) async fn rotate(
    manager: &SessionManager,
    live: &Live,
    changes: &Changes,
    record: Record,
    ttl: Ttl,
) -> Rotated {
    let store = manager.store();
    let id = match settle::create(store, &record, ttl).await {
        Ok(id) => id,
        Err(error) => return Rotated::Failed(error),
    };
    match settle::remove(store, &live.id).await {
        Removal::Removed(last) => {
            let carried = missed(&live.record, &last, changes, &record);
            carry_over(manager, id, record, ttl, carried).await
        }
        Removal::Absent => {
            discard(store, &id).await;
            Rotated::Gone
        }
        // The new id is the one that works, whatever became of the old.
        Removal::Unseen(_) => Rotated::Done { id, record, ttl, left: None },
        Removal::Unknown(error) => {
            let old = Doomed { id: live.id, record: Fate::Unknown };
            let left = Pending { doomed: vec![old], ..Pending::default() };
            Rotated::Done { id, record, ttl, left: Some(Box::new((left, error))) }
        }
        Removal::Kept(error) => {
            discard(store, &id).await;
            Rotated::Failed(error)
        }
    }
}

async fn carry_over(
    manager: &SessionManager,
    id: SessionId,
    mut record: Record,
    ttl: Ttl,
    carried: Changes,
) -> Rotated {
    if carried.is_empty() {
        return Rotated::Done { id, record, ttl, left: None };
    }
    // A lifetime that others set counts from now on, not only from the next write.
    let renewed = carried
        .metadata()
        .and_then(|metadata| manager.expiry().ttl(&metadata, manager.clock().now()));
    match settle::update(manager.store(), &id, &record, &carried, renewed).await {
        Ok(Update::Applied) => {
            record.apply(&carried);
            Rotated::Done { id, record, ttl: renewed.unwrap_or(ttl), left: None }
        }
        Ok(Update::Ended | Update::Conflict) => Rotated::Gone,
        Err(error) => {
            let idle_timeout = carried.metadata().and_then(|metadata| metadata.idle_timeout);
            let left = Pending { changes: carried, idle_timeout, ..Pending::default() };
            Rotated::Done { id, record, ttl, left: Some(Box::new((left, error))) }
        }
    }
}

/// Nobody was ever told this id, so if it cannot be removed it just runs out of time.
async fn discard(store: &dyn SessionStore, id: &SessionId) {
    let _ = store.delete(id).await;
}

/// What others did to the old record between `known` and `last`, where `ours` says nothing of it.
fn missed(known: &Record, last: &Record, ours: &Changes, new: &Record) -> Changes {
    let mut missed = Changes::new();
    for (name, value) in last.iter() {
        if known.get(name) != Some(value) && ours.get(name).is_none() {
            missed = missed.set(name, value.clone());
        }
    }
    for name in known.names() {
        if last.get(name).is_none() && ours.get(name).is_none() {
            missed = missed.remove(name);
        }
    }
    let idle_timeout = last.metadata().idle_timeout;
    let is_ours = new.metadata().idle_timeout != known.metadata().idle_timeout;
    if idle_timeout != known.metadata().idle_timeout && !is_ours {
        missed = missed.with_metadata(Metadata { idle_timeout, ..*new.metadata() });
    }
    missed
}
